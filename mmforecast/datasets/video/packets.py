"""Packets of a video file, as they are stored, and the stream among several that is the video."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from mmforecast.utils.pyav import import_av

from .bitstream import is_hidden, is_random_access, nal_length_size
from .opening import VideoError, open_container, reason_of, usable_streams

__all__ = ['Packets', 'read_packets']

# Beyond this a file is refused: the frames of 38 hours at 30 Hz.
MAX_FRAMES = 2**22

# Codecs of which a decoder says by itself that a frame is a keyframe. Of other predicted ones, container
# flags are all there is, and these are not trusted: such files are decoded from the start.
_KNOWN_CODECS = (
    'av1 ffv1 flv1 h263 h264 hevc mpeg1video mpeg2video mpeg4 msmpeg4v1 msmpeg4v2 msmpeg4v3 theora vc1 '
    'vp8 vp9 wmv1 wmv2 wmv3'
).split()

# A stream with fewer frames than this part of the longest is a picture or a slide show beside the video.
_MIN_PART = 0.1

# Transport streams flag the packet in progress where their counter breaks. At a joint of two recordings
# that is one of the last of the first recording, which is whole.
_JOINT_PACKETS = 3
_JOINT_SECONDS = 0.5


@dataclass(frozen=True)
class Packets:
    """What the packets of a file's video say, before any is decoded.

    Attributes:
        stamps: Time stamps of all frames, as they lie in the file.
        keys: Those of the keyframes.
        seconds: The unit of both.
        rate: Frames per second that the header claims; 0: none.
        reorders: Whether frames may be shown in another order than they are stored in.
        container: FFmpeg's name of the format.
        stream: Position of the stream among the file's video streams.
        damaged: Positions of packets that the container calls corrupt.
    """

    stamps: list[int | None]
    keys: list[int | None]
    seconds: float
    rate: float
    reorders: bool
    container: str
    stream: int
    damaged: frozenset[int]

    @property
    def stamped(self) -> bool:
        """Whether each frame has its own time stamp, the same after a seek."""
        unique = None not in self.stamps and len(set(self.stamps)) == len(self.stamps)
        return unique and self.container.startswith(('mov', 'matroska', 'avi'))

    @property
    def doubtful(self) -> bool:
        """Frames may be shown in another order, but their time stamps show no sign of it."""
        return self.reorders and all(a < b for a, b in itertools.pairwise(self.stamps))


@dataclass
class _StreamPackets:
    """What is gathered of one stream."""

    stamps: list[int | None] = field(default_factory=list)
    keys: list[int | None] = field(default_factory=list)
    positions: int = 0
    corrupt: list[int] = field(default_factory=list)
    joints: list[int] = field(default_factory=list)
    last_dts: int | None = None


def read_packets(path: str) -> Packets:
    """Read through a file's packets and choose its video: see :func:`_rank`.

    Raises:
        VideoError: The file can't be opened, is truncated or damaged, has no frame, or too many.
    """
    container = open_container(path)
    with container:
        candidates = usable_streams(container)
        streams = {number: container.streams.video[number] for number in candidates}
        found = _gather(container, streams)
        longest = max(len(packets.stamps) for packets in found.values())
        if longest == 0:
            raise VideoError('has no frame')
        number = max(streams, key=lambda n: _rank(streams[n], len(found[n].stamps), longest))
        stream, packets = streams[number], found[number]
        return Packets(
            stamps=packets.stamps,
            keys=packets.keys,
            seconds=float(stream.time_base),
            rate=float(stream.average_rate or 0),
            reorders=bool(stream.codec_context.has_b_frames),
            container=container.format.name,
            stream=number,
            damaged=_damaged(packets),
        )


def _rank(stream: Any, length: int, longest: int) -> tuple:
    """Order of streams: moving ones before pictures, then by size, by length, and the default one.

    Muxers mark the first stream as the default one, be it a preview; so size comes before that.
    """
    is_default = bool(stream.disposition & import_av().stream.Disposition.default)
    area = stream.codec_context.width * stream.codec_context.height
    is_moving = length > 0 and length >= _MIN_PART * longest
    return is_moving, area, 2 * length >= longest, is_default, length


def _gather(container: Any, streams: dict[int, Any]) -> dict[int, _StreamPackets]:
    """All packets of these streams."""
    found = {number: _StreamPackets() for number in streams}
    number_of = {stream.index: number for number, stream in streams.items()}
    readers = {number: _Reader(stream, container.format.name) for number, stream in streams.items()}
    try:
        for packet in container.demux(list(streams.values())):
            number = number_of[packet.stream.index]  # the stream_index of the last, empty packets is 0
            readers[number].add(packet, found[number])
    except import_av().FFmpegError as error:
        length = max(len(packets.stamps) for packets in found.values())
        raise VideoError(f'is damaged after {length} frames ({reason_of(error)})') from error
    return found


class _Reader:
    """Takes note of the packets of one stream."""

    def __init__(self, stream: Any, container: str):
        context = stream.codec_context
        self.codec = context.codec.canonical_name
        self.length_size = nal_length_size(self.codec, context.extradata)
        # The palette of an AVI comes once and is lost in a seek.
        has_palette = context.format is not None and context.format.name == 'pal8'
        self.seeks = not has_palette and (context.codec.intra_only or self.codec in _KNOWN_CODECS)
        self.joint = _JOINT_SECONDS / float(stream.time_base)
        self.is_transport = container == 'mpegts'

    def add(self, packet: Any, found: _StreamPackets) -> None:
        position, found.positions = found.positions, found.positions + 1
        if packet.size == 0 or packet.is_discard:
            return
        if packet.is_corrupt and not self.is_transport:
            raise VideoError(f'is truncated or damaged after {len(found.stamps)} frames')
        if packet.is_corrupt:
            found.corrupt.append(position)
        data = bytes(packet) if packet.is_keyframe or self.codec == 'vp8' else b''
        if packet.is_keyframe and found.last_dts is not None and packet.dts is not None:
            if not 0 <= packet.dts - found.last_dts <= self.joint:
                found.joints.append(position)
        found.last_dts = packet.dts
        if is_hidden(self.codec, data):
            return
        found.stamps.append(packet.pts)
        if packet.is_keyframe and self.seeks and is_random_access(self.codec, data, self.length_size):
            found.keys.append(packet.pts)
        if len(found.stamps) > MAX_FRAMES:
            raise VideoError(f'has more than {MAX_FRAMES} frames: cut it into parts')


def _damaged(packets: _StreamPackets) -> frozenset[int]:
    """Positions of the packets that are corrupt and not at a joint."""
    return frozenset(
        position
        for position in packets.corrupt
        if not any(0 < joint - position <= _JOINT_PACKETS for joint in packets.joints)
    )
