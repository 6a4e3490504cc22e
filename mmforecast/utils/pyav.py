"""The optional library PyAV."""

from typing import Any

__all__ = ['import_av', 'side_data_class']


def import_av() -> Any:
    """Import PyAV, which reads and writes video files.

    Raises:
        ImportError: It is not installed; the message says how to get it.
    """
    try:
        import av
    except ImportError as error:
        raise ImportError(
            'video files are read and written by PyAV, which is not installed: pip install av'
        ) from error
    return av


def side_data_class() -> type:
    """The class of ``frame.side_data``, a mapping made of a frame.

    The attribute keeps what it makes in the frame, which is then part of a reference cycle: it is freed by the
    garbage collector alone, and many large frames may come before that.
    """
    from av.sidedata.sidedata import SideDataContainer

    return SideDataContainer
