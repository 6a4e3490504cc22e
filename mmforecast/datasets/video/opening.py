"""Opening of video files, by PyAV, and what is refused there."""

from typing import Any

from mmforecast.utils.pyav import import_av

__all__ = [
    'VideoError',
    'check_size',
    'open_container',
    'open_video',
    'reason_of',
    'usable_streams',
]

# Larger frames are refused; this is just above 8K.
MAX_PIXELS = 2**25

# Others, such as playlists, could name further files and addresses.
_CONTAINERS = 'asf,avi,flv,gif,matroska,mov,mpeg,mpegts,mpegvideo,mxf,ogg,yuv4mpegpipe'

# Their decoders conceal damage without a word unless they are told to stop.
_STRICT_CODECS = ('mjpeg', 'mpeg1video', 'mpeg2video')


class VideoError(ValueError):
    """A video can't be read; the message goes on after the file's name ('has no frame')."""


def open_video(path: str, number: int) -> tuple[Any, Any]:
    """Open a file's container and one of its video streams, to be decoded in the calling thread.

    Args:
        path: The file.
        number: Position among its video streams.

    Raises:
        ImportError: PyAV isn't installed.
        VideoError: As of :func:`open_container`.
    """
    container = open_container(path)
    stream = container.streams.video[number]
    context = stream.codec_context
    options = dict(max_pixels=str(MAX_PIXELS))
    if context.codec.canonical_name in _STRICT_CODECS:
        options['err_detect'] = 'explode'
    context.options = options
    context.thread_count = 1
    context.copy_opaque = True
    return container, stream


def open_container(path: str) -> Any:
    """Open a file that has a video stream to be decoded.

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
        usable_streams(container)
    except VideoError:
        container.close()
        raise
    return container


def usable_streams(container: Any) -> list[int]:
    """Positions among the video streams of those that hold moving pictures.

    Raises:
        VideoError: There is none, or its frames are too large.
    """
    streams = list(enumerate(container.streams.video))
    if not streams:
        raise VideoError('has no video stream')
    streams = [(number, stream) for number, stream in streams if not _is_still(stream)]
    if not streams:
        raise VideoError('has no video stream but a cover picture')
    usable = [number for number, stream in streams if stream.codec_context is not None]
    if not usable:
        raise VideoError('is of a codec that FFmpeg does not know')
    for number in usable:
        context = container.streams.video[number].codec_context
        check_size(context.height, context.width)
    return usable


def _is_still(stream: Any) -> bool:
    """Whether a stream is a cover picture or the thumbnails of chapters."""
    marks = import_av().stream.Disposition
    return bool(stream.disposition & (marks.attached_pic | marks.timed_thumbnails | marks.still_image))


def check_size(height: int, width: int) -> None:
    """Refuse frames that no camera takes: a header may claim anything."""
    if height * width > MAX_PIXELS:
        raise VideoError(
            f'has frames of {height}x{width}, more than {MAX_PIXELS} pixels: scale it down, or the '
            'file is damaged'
        )


def reason_of(error: Exception) -> str:
    """FFmpeg's own words, without the number and the path around them."""
    return (getattr(error, 'strerror', None) or str(error)).rstrip('.')
