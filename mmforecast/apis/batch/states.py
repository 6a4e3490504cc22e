"""States of units, as the manifest and workers name them."""

__all__ = ['DONE', 'FAILED', 'FATAL', 'LEFT', 'SPLIT']

DONE, FAILED, LEFT, SPLIT = 'done', 'failed', 'left', 'split'
# Of a unit whose results cannot be written: it ends the batch, and is not in the manifest.
FATAL = 'fatal'
