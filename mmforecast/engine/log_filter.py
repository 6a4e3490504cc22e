"""Log messages of mmengine that a user can't act on, left out."""

import logging

__all__ = ['concerns_user']

# Its checkpoint hook and writer use classes of its own that it will drop.
_INTERNAL = ('"FileClient" will be deprecated', '"HardDiskBackend" is the alias')


def concerns_user(record: logging.LogRecord) -> bool:
    """Filter for a logger: tell whether a record is more than mmengine's word on its own code."""
    return not str(record.msg).startswith(_INTERNAL)
