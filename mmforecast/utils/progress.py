"""Progress bars: one line each on a terminal, which is gone at the end, and nothing anywhere else."""

from collections.abc import Iterable

from tqdm import tqdm

__all__ = ['progress_bar']


def progress_bar(iterable: Iterable | None = None, **settings) -> tqdm:
    """A progress bar on stderr; logs and pipes get none.

    Args:
        iterable: What to go through, or None to call ``update`` by hand.
        settings: Those of ``tqdm``, such as ``desc``, ``total`` and ``unit``. ``disable=True`` hides the bar
            on a terminal too.
    """
    settings['disable'] = settings.get('disable') or None  # None: unless stderr is a terminal
    defaults = dict(mininterval=1.0, leave=False, dynamic_ncols=True)
    return tqdm(iterable, **{**defaults, **settings})
