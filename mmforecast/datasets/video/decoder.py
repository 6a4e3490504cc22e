"""Decoding of one stream of an open file, with damage kept in mind until it is over."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from mmforecast.utils.pyav import import_av

from .opening import open_video

__all__ = ['Decoder']


class Decoder:
    """Frames in order of presentation, each with whether it, or what it is predicted from, is damaged.

    A packet that can't be decoded, or a frame that the decoder marks as corrupt, spoils what is decoded
    after it, until a keyframe.

    Args:
        path: The file.
        stream: Position among its video streams.
        damaged: Positions of packets known to be damaged, counted from the start of the stream.
    """

    def __init__(self, path: str, stream: int = 0, damaged: frozenset[int] = frozenset()):
        self.error = import_av().FFmpegError
        self.container, self.stream = open_video(path, stream)
        self.damaged = damaged
        self.from_start = True
        self._begin()

    def _begin(self) -> None:
        self._broken: list[int] = []  # positions of damaged packets since the last keyframe
        self._packets = enumerate(self.container.demux(self.stream))
        self._decoded: deque[Any] = deque()

    def __iter__(self) -> Iterator[tuple[Any, bool]]:
        """Go on from where decoding stands.

        Raises:
            av.FFmpegError: The container can't be read further.
        """
        # An iterator that the object kept would be a cycle, and the decoder's memory wait for the collector.
        while self._decoded or self._decode_packet():
            if self._decoded:
                frame = self._decoded.popleft()
                yield frame, self._is_spoilt(frame)

    def close(self) -> None:
        self.container.close()

    def seek(self, stamp: int) -> None:
        """Go on from the last keyframe of the container at or before a time stamp.

        Raises:
            av.FFmpegError: The container can't go there.
        """
        self.container.seek(stamp, stream=self.stream)
        self.from_start = False
        self._begin()

    def lost_before(self, frame: Any) -> bool:
        """Note that frames are missing before this one; whether that spoils it."""
        if _is_key(frame):
            return False
        self._broken.append(0)  # nobody knows which packet it was
        return True

    def _decode_packet(self) -> bool:
        """Decode the next packet, which may give no frame or several; False after the last one."""
        position, packet = next(self._packets, (0, None))
        if packet is None:
            return False
        if packet.size == 0 and packet.dts is not None:
            return True  # a frame that the writer left out
        if position in self.damaged and self.from_start:
            self._broken.append(position)
        packet.opaque = position
        try:
            self._decoded.extend(self.stream.codec_context.decode(packet))
        except self.error:
            self._broken.append(position)
        return True

    def _is_spoilt(self, frame: Any) -> bool:
        position = _position(frame)
        if frame.is_corrupt:
            self._broken.append(position)
        elif _is_key(frame):
            self._broken = [broken for broken in self._broken if broken >= position]
        return any(broken <= position for broken in self._broken)


def _is_key(frame: Any) -> bool:
    """Whether a frame stands on its own. An intra refresh begins at a predicted one."""
    return bool(frame.key_frame) and frame.pict_type == import_av().video.frame.PictureType.I


def _position(frame: Any) -> int:
    """Where the packet of a frame was, in order of decoding."""
    return frame.opaque if isinstance(frame.opaque, int) else 0
