"""The start of coded pictures, as far as it tells whether decoding can begin there.

Containers flag keyframes as their writers please: some flag every frame, some the frames at which an
intra refresh begins. So the coded picture itself must say it.

Sources: ITU-T H.264, 7.3 and D.2.8; ITU-T H.265, 7.4.2.2; ISO/IEC 14496-2, 6.2.5; RFC 6386, 9.1.
"""

import re
from collections.abc import Iterator

__all__ = ['is_hidden', 'is_random_access', 'nal_length_size']

_H264_SLICE, _H264_IDR, _H264_SEI = 1, 5, 6
_RECOVERY_POINT = 6
_HEVC_IRAP = range(16, 24)
_MPEG4_VOP = b'\x00\x00\x01\xb6'
_MPEG2_PICTURE = b'\x00\x00\x01\x00'


def nal_length_size(codec: str, extradata: bytes | None) -> int:
    """Bytes of the length before each NAL unit of an H.264 or HEVC stream; 0: start codes."""
    if not extradata or extradata[0] != 1:
        return 0
    if codec == 'h264' and len(extradata) > 4:
        return (extradata[4] & 3) + 1
    if codec == 'hevc' and len(extradata) > 21:
        return (extradata[21] & 3) + 1
    return 0


def is_random_access(codec: str, data: bytes, length_size: int = 0) -> bool:
    """Whether a decoder gives exact pictures from this packet on; True for codecs that aren't looked into.

    Args:
        codec: FFmpeg's canonical name.
        data: The packet.
        length_size: See :func:`nal_length_size`.
    """
    if codec == 'h264':
        return _begins_h264(data, length_size)
    if codec == 'hevc':
        pictures = (unit[0] >> 1 & 0x3F for unit in _nal_units(data, length_size) if unit)
        return next((kind in _HEVC_IRAP for kind in pictures if kind < 32), False)
    if codec == 'mpeg4':
        start = data.find(_MPEG4_VOP)
        return 0 <= start < len(data) - 4 and data[start + 4] >> 6 == 0
    if codec in ('mpeg1video', 'mpeg2video'):
        start = data.find(_MPEG2_PICTURE)
        return 0 <= start < len(data) - 5 and data[start + 5] >> 3 & 7 == 1
    if codec == 'vp8':
        return bool(data) and data[0] & 1 == 0
    return True


def is_hidden(codec: str, data: bytes) -> bool:
    """Whether a packet holds no picture to be shown, as the alternate references of VP8."""
    return codec == 'vp8' and bool(data) and data[0] >> 4 & 1 == 0


def _begins_h264(data: bytes, length_size: int) -> bool:
    """Whether it is an IDR picture, or one at which decoding recovers at once and exactly."""
    recovers = False
    for unit in _nal_units(data, length_size):
        kind = unit[0] & 0x1F if unit else 0
        if kind == _H264_IDR:
            return True
        if kind == _H264_SLICE:
            return recovers
        if kind == _H264_SEI:
            recovers = recovers or _recovers_at_once(unit[1:])
    return False


def _recovers_at_once(sei: bytes) -> bool:
    """Whether SEI messages hold a recovery point of 0 frames, with exact match and no broken link."""
    sei = sei.replace(b'\x00\x00\x03', b'\x00\x00')
    place = 0
    while place + 2 <= len(sei):
        kind = length = 0
        kind, place = _sei_number(sei, place)
        length, place = _sei_number(sei, place)
        if kind == _RECOVERY_POINT:
            # ue(v) of 0 is the bit 1; then exact_match_flag and broken_link_flag.
            return place < len(sei) and sei[place] >> 5 == 0b110
        place += length
    return False


def _sei_number(sei: bytes, place: int) -> tuple[int, int]:
    """A number in SEI's code, bytes of 255 and a last one, and the place after it."""
    number = 0
    while place < len(sei) and sei[place] == 255:
        number, place = number + 255, place + 1
    return number + (sei[place] if place < len(sei) else 0), place + 1


def _nal_units(data: bytes, length_size: int) -> Iterator[bytes]:
    if not length_size:
        starts = [match.end() for match in re.finditer(b'\x00\x00\x01', data)]
        for start, end in zip(starts, [*starts[1:], len(data) + 3]):
            yield data[start : end - 3]
        return
    place = 0
    while place + length_size < len(data):
        length = int.from_bytes(data[place : place + length_size], 'big')
        place += length_size
        if not 0 < length <= len(data) - place:
            return
        yield data[place : place + length]
        place += length
