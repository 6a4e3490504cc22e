"""The optional library PyAV."""

from typing import Any

__all__ = ['import_av']


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
