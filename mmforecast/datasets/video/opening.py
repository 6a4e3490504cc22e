"""Opening a video file, by PyAV, and what is refused there."""

from typing import Any

__all__ = [
    'VideoError',
    'check_size',
    'import_av',
    'open_video',
    'quarter_turns',
    'reason_of',
    'shown_size',
]

# Larger frames are refused; this is just above 8K.
MAX_PIXELS = 2**25

# Others, such as playlists, could name further files and addresses.
_CONTAINERS = 'avi,matroska,mov,mpeg,mpegts,mpegvideo'


class VideoError(ValueError):
    """A video can't be read; the message goes on after the file's name ('has no frame')."""


def open_video(path: str) -> tuple[Any, Any]:
    """Open a file's container and its first video stream, to be decoded in the calling thread.

    Raises:
        ImportError: PyAV isn't installed.
        VideoError: The file is missing, no video, or its frames are too large.
    """
    av = import_av()
    try:
        container = av.open(
            f'file:{path}', options=dict(format_whitelist=_CONTAINERS, protocol_whitelist='file')
        )
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(f'cannot be opened ({reason_of(error)})') from error
    try:
        if not container.streams.video:
            raise VideoError('has no video stream')
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise VideoError('is of a codec that FFmpeg does not know')
        check_size(stream.codec_context.height, stream.codec_context.width)
        stream.codec_context.options = dict(max_pixels=str(MAX_PIXELS))
        stream.codec_context.thread_count = 1
    except VideoError:
        container.close()
        raise
    return container, stream


def import_av() -> Any:
    """PyAV, or one sentence that says how to get it."""
    try:
        import av
    except ImportError as error:
        raise ImportError('videos are read by PyAV, which is not installed: pip install av') from error
    return av


def check_size(height: int, width: int) -> None:
    """Refuse frames that no camera takes: a header may claim anything."""
    if height * width > MAX_PIXELS:
        raise VideoError(
            f'has frames of {height}x{width}, more than {MAX_PIXELS} pixels: scale it down, or the '
            'file is damaged'
        )


def quarter_turns(frame: Any) -> int:
    """How often a decoded frame is to be turned by 90 degrees, counter-clockwise, to be shown.

    Phones store portrait videos lying.
    """
    return round(frame.rotation / 90) % 4


def shown_size(frame: Any) -> tuple[int, int]:
    """(height, width) of a decoded frame, turned as it is to be shown."""
    size = frame.height, frame.width
    return size[::-1] if quarter_turns(frame) % 2 else size


def reason_of(error: Exception) -> str:
    """FFmpeg's own words, without the number and the path around them."""
    return (getattr(error, 'strerror', None) or str(error)).rstrip('.')
