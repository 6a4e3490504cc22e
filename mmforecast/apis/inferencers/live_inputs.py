"""Live inputs by their names (addresses, cameras, pipes), and their frames by PyAV."""

import os
import re
import select
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mmforecast.datasets.video.opening import MAX_PIXELS, VideoError, check_size, reason_of
from mmforecast.utils.pyav import import_av

__all__ = ['Decoder', 'LiveError', 'LiveInput', 'live_input']

_ADDRESS = re.compile(r'(?P<scheme>[a-z][a-z0-9+.-]+)://(?P<rest>.*)', re.IGNORECASE | re.DOTALL)
_SCHEMES = ('http', 'https', 'rtmp', 'rtmps', 'rtp', 'rtsp', 'rtsps', 'srt', 'tcp', 'udp')
# What an address leads to may name further addresses (playlists do), but no file of this machine.
_PROTOCOLS = 'crypto,data,hls,http,httpproxy,https,rtmp,rtmps,rtmpt,rtp,rtsp,rtsps,srt,srtp,tcp,tls,udp'
# By platform, the input format of cameras and the name of the one with an index.
_CAMERAS = {'linux': ('v4l2', '/dev/video{}'), 'darwin': ('avfoundation', '{}:none')}


class LiveError(Exception):
    """A live input has failed; the message goes on after its name ('cannot be opened (...)')."""


@dataclass(frozen=True)
class LiveInput:
    """A live input, before it is opened.

    Attributes:
        kind: 'address', 'camera' or 'pipe'.
        target: What PyAV opens; of a pipe the path, or '-' for the standard input.
        shown: What messages and files call it, without a password.
        name: What files of forecasts are named after.
        format: FFmpeg's input format; None: it finds out.
        options: Options of FFmpeg.
    """

    kind: str
    target: str
    shown: str
    name: str
    format: str | None = None
    options: dict[str, str] = field(default_factory=dict)


def live_input(text: str, options: dict[str, str] | None = None) -> LiveInput | None:
    """The live input of this name; None where it is none, but a path.

    Args:
        text: An address, '-', the index of a camera, or the path of a named pipe or of a camera. With the
            option ``format``, any name that this input format knows.
        options: Options of FFmpeg; ``format`` is taken out of them.

    Raises:
        ValueError: The address has a scheme that is not supported, or there is no such camera.
    """
    options = {str(key): str(value) for key, value in (options or {}).items()}
    form = options.pop('format', None)
    address = _ADDRESS.fullmatch(text)
    if text == '-':
        return LiveInput('pipe', '-', 'standard input', 'stdin', form, options)
    if address is not None:
        return _address(text, address, form, options)
    if text.isdecimal():
        return _camera(text, form, options)
    kind = _file_kind(text)
    if kind == 'camera':
        return LiveInput('camera', text, text, _plain(text), form or _CAMERAS['linux'][0], options)
    if kind == 'pipe':
        return LiveInput('pipe', text, text, _plain(text), form, options)
    if form is not None and not os.path.exists(text):
        return LiveInput('camera', text, text, _plain(text), form, options)
    return None


def _address(text: str, parts: re.Match, form: str | None, options: dict) -> LiveInput:
    scheme = parts['scheme'].lower()
    if scheme not in _SCHEMES:
        raise ValueError(f'{scheme}:// is not supported: give a path, or an address of {", ".join(_SCHEMES)}')
    place = re.sub(r'^[^/?#]*@', '', parts['rest'])  # user and password
    path, _, _ = re.split(r'[?#]', place, maxsplit=1)[0].partition('?')
    last = path.rstrip('/').rpartition('/')[2]
    defaults = dict(protocol_whitelist=_PROTOCOLS)
    if scheme.startswith('rtsp'):
        defaults['rtsp_transport'] = 'tcp'  # over UDP lost packets damage pictures
    return LiveInput('address', text, f'{scheme}://{place}', _plain(last), form, {**defaults, **options})


def _camera(index: str, form: str | None, options: dict) -> LiveInput:
    default, target = _CAMERAS.get(sys.platform, (None, '{}'))
    if form is None and default is None:
        raise ValueError(
            f'camera {index}: cameras are opened by index on Linux and macOS; elsewhere name the input '
            'format of FFmpeg and the camera, e.g. --av-options format=dshow with the input video="NAME"'
        )
    if form is None and sys.platform == 'linux' and not os.path.exists(target.format(index)):
        there = sorted(name for name in os.listdir('/dev') if re.fullmatch(r'video\d+', name))
        known = f'the cameras are {", ".join(there)}' if there else 'no camera is connected'
        raise ValueError(
            f'camera {index} cannot be opened: there is no {target.format(index)} ({known}); give the '
            f'index of another one, or ./{index} for a file of this name'
        )
    return LiveInput(
        'camera', target.format(index), f'camera {index}', f'camera{index}', form or default, options
    )


def _file_kind(path: str) -> str | None:
    """'pipe' or 'camera' for files that are such."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISFIFO(mode):
        return 'pipe'
    return 'camera' if stat.S_ISCHR(mode) and re.search(r'/video\d+$', path) else None


def _plain(name: str) -> str:
    """A name for files: the last part of a path without its ending, and without what shells dislike."""
    stem = os.path.splitext(os.path.basename(name))[0]
    return re.sub(r'[^\w-]+', '_', stem).strip('_') or 'stream'


class Decoder:
    """Opens a live input and decodes it; all calls from one thread.

    Args:
        live: The input.
        timeout: Seconds that opening and reading may take.
    """

    def __init__(self, live: LiveInput, timeout: float):
        self.live = live
        self.timeout = timeout
        self._av = import_av()
        self._container = None
        self._stream = None
        self._pipe: _Pipe | None = None

    def open(self) -> float | None:
        """Open the input; frames per second, where they are known.

        Raises:
            LiveError: That is impossible.
        """
        live = self.live
        try:
            if live.kind == 'pipe':
                self._pipe = _Pipe(live.target, self.timeout)
            self._container = self._av.open(
                self._pipe or live.target,
                format=live.format,
                options=dict(live.options),
                timeout=None if self._pipe else self.timeout,
            )
        except (self._av.FFmpegError, OSError, ValueError) as error:
            raise LiveError(f'cannot be opened ({self._reason(error)}): {self._advice()}') from error
        if not self._container.streams.video:
            raise LiveError('has no video stream')
        self._stream = self._container.streams.best('video') or self._container.streams.video[0]
        if self._stream.codec_context is None:
            raise LiveError('is of a codec that FFmpeg does not know')
        self._stream.codec_context.options = dict(max_pixels=str(MAX_PIXELS))
        rate = self._stream.average_rate or self._stream.guessed_rate
        return float(rate) if rate else None

    def frames(self) -> Iterator[tuple[np.ndarray, float | None]]:
        """Frames, (H, W, 3) uint8 RGB, and their seconds since the first.

        Damaged packets are skipped, as players do.

        Raises:
            LiveError: The connection is lost, or the frames change their size.
        """
        start = size = None
        count = 0
        try:
            for packet in self._container.demux(self._stream):
                for frame in self._decode(packet):
                    image = self._image(frame)
                    if size not in (None, image.shape[:2]):
                        raise LiveError(
                            f'changes from {size[0]}x{size[1]} to {image.shape[0]}x{image.shape[1]} pixels '
                            f'at frame {count}: forecast the rest as a video of its own'
                        )
                    size = image.shape[:2]
                    start = frame.time if start is None else start
                    yield image, None if frame.time is None or start is None else frame.time - start
                    count += 1
        except (self._av.FFmpegError, OSError, VideoError) as error:
            what = f'ended after {count} frames' if count else 'has no frame that can be decoded'
            advice = '' if count else f': {self._advice()}'
            raise LiveError(f'{what} ({self._reason(error)}){advice}') from error
        if count == 0:
            raise LiveError(f'has no frame that can be decoded: {self._advice()}')

    def close(self) -> None:
        """Close what is open."""
        for opened in (self._container, self._pipe):
            if opened is not None:
                opened.close()

    def _decode(self, packet: Any) -> list:
        try:
            return [frame for frame in packet.decode() if not frame.is_corrupt]
        except self._av.error.InvalidDataError:
            return []

    def _image(self, frame: Any) -> np.ndarray:
        check_size(frame.height, frame.width)
        turns = round(frame.rotation / 90) % 4  # phones store portrait videos lying
        return np.ascontiguousarray(np.rot90(frame.to_ndarray(format='rgb24'), turns))

    def _reason(self, error: Exception) -> str:
        if self._pipe is not None and self._pipe.failure is not None:
            return self._pipe.failure
        if isinstance(error, self._av.error.ExitError):
            return f'nothing came for {self.timeout:g} s'
        return reason_of(error)

    def _advice(self) -> str:
        if self.live.kind == 'camera':
            return 'another program may use it, or it is no camera'
        if self.live.kind == 'pipe':
            return 'pipe a format that can be read from its start on, such as MPEG-TS, Matroska or Y4M'
        return 'check the address, or download the file and give its path'


class _Pipe:
    """A named pipe or the standard input as a file object for PyAV, whose reads have a time limit."""

    def __init__(self, path: str, timeout: float):
        self.failure: str | None = None
        self._timeout = timeout
        self._own = path != '-'
        # Opened so, a named pipe does not wait here for its writer: the first read does.
        self._handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK) if self._own else sys.stdin.fileno()

    def read(self, size: int) -> bytes:
        ready, _, _ = select.select([self._handle], [], [], self._timeout)
        if not ready:
            self.failure = f'nothing came for {self._timeout:g} s'
            raise OSError(self.failure)
        return os.read(self._handle, size)

    def close(self) -> None:
        if self._own:
            os.close(self._handle)
