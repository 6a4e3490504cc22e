"""Reports from data-loading processes: unusable files, and the cause of death of a worker."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

__all__ = [
    'CollateWithFaults',
    'Faults',
    'WorkerDiedError',
    'find_sources',
    'merge_faults',
    'worker_death',
]

Faults = dict[str, tuple[int, str]]
"""By path of a file that can't be used: how often an item was replaced for it, and what is wrong."""

_DEATH = re.compile(r'^DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\) (.*)', flags=re.DOTALL)
_ADVICE = (
    'If the machine ran out of memory, lower num_workers or batch_size of that data loader; else set '
    'its num_workers=0 to see what the item does to the process that loads it'
)


class WorkerDiedError(RuntimeError):
    """A process that loads data is gone; the message says which, and what it was loading."""


def find_sources(dataset: Any) -> Iterator[Any]:
    """The datasets within wrappers such as mmengine's ``ConcatDataset`` and ``RepeatDataset``."""
    fields = getattr(dataset, '__dict__', {})
    inner = [fields['dataset']] if 'dataset' in fields else list(fields.get('datasets', ()))
    if not inner:
        yield dataset
    for part in inner:
        yield from find_sources(part)


def merge_faults(into: Faults, faults: Mapping[str, tuple[int, str]]) -> None:
    """Add the counts of ``faults``; in place."""
    for path, (times, reason) in faults.items():
        into[path] = (into.get(path, (0, ''))[0] + times, reason)


class CollateWithFaults:
    """Collates a batch, and sends along the faults that its dataset met on the way.

    So they arrive in the order of the batches, from whatever process, and none is counted twice.
    """

    def __init__(self, collate_fn: Callable, dataset: Any):
        self.collate_fn = collate_fn
        self.dataset = dataset

    def __call__(self, items: Sequence[Any]) -> tuple[Any, Faults]:
        faults: Faults = {}
        for source in find_sources(self.dataset):
            if hasattr(source, 'take_faults'):
                merge_faults(faults, source.take_faults())
        return self.collate_fn(items), faults


def worker_death(
    error: RuntimeError,
    held: Tensor | None = None,
    dataset: Any = None,
) -> WorkerDiedError | None:
    """What torch says of a dead worker, with what the worker was loading.

    Args:
        error: Of torch; any other gives None.
        held: (workers, 2), by worker its process, -1 before its first item, and the index of the item
            that it was loading, or -1. Noted by the workers: one may die while torch still starts them.
        dataset: Of the items.
    """
    found = _DEATH.match(str(error))
    if found is None:
        return None
    dead = [int(pid) for pid in found[1].split(',')]
    how = found[2].strip().split('\n')[0].rstrip('. ')
    parts = []
    for number, (pid, item) in enumerate([] if held is None else held.tolist()):
        if pid in dead:
            where = f'while it loaded {_name_item(dataset, item)}' if item >= 0 else 'between items'
            parts.append(f'worker {number + 1} of {len(held)} (process {pid}) {how} {where}')
    if not parts:
        parts = [f'worker process {", ".join(map(str, dead))} {how}']
    return WorkerDiedError(f'A process that loads data died: {"; ".join(parts)}. {_ADVICE}')


def _name_item(dataset: Any, index: int) -> str:
    try:
        info = dataset.get_data_info(index)
    except Exception:  # wrappers have none, and the item may be what kills
        return f'item {index}'
    parts = [f'item {index}']
    if 'sequence_id' in info:
        parts.append(f'sequence {info["sequence_id"]} frames {_range(info.get("frame_indices"))}')
    paths = info.get('img_paths') or [info.get('img_path')]
    if paths[0]:
        parts.append(f'files {paths[0]}' + (f' to {paths[-1]}' if len(paths) > 1 else ''))
    return ', '.join(parts)


def _range(frames: list[int] | None) -> str:
    return f'{frames[0]} to {frames[-1]}' if frames else '?'
