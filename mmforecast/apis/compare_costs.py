"""What the methods of a comparison cost: multiply-adds of a forecast, and minutes of training."""

import os
from collections.abc import Mapping, Sequence

from mmengine.config import Config

from mmforecast.fileio import load_checkpoint
from mmforecast.fileio.plain_state import from_plain

from .compare import Entry
from .complexity import count_costs
from .evaluate import build_loader, with_horizon

__all__ = ['add_costs', 'training_minutes']


def add_costs(rows: Sequence[dict], entries: Sequence[Entry], steps: int) -> None:
    """Put the columns of ``COSTS`` into the rows of :func:`~.compare.compare`, in place.

    'GMAC' is what the predictor takes for a forecast of ``steps`` steps on a frame of the test clips, as
    :func:`~.complexity.complexity` counts; what all methods of a representation share, encoder and decoder,
    is left out. It is missing where a method can't forecast just that far. For 'training, min' see
    :func:`training_minutes`.

    Args:
        rows: Of these entries.
        entries: As they were given to ``compare``.
        steps: Of the roll-out.
    """
    sizes: dict[str, tuple[int, int]] = {}
    for row in rows:
        seeds = [entry for entry in entries if entry.name == row['method']]
        if steps in row['steps']:
            row['GMAC'] = _predictor_macs(seeds[0], steps, sizes) / 1e9
        minutes = [training_minutes(entry.checkpoint) for entry in seeds if entry.checkpoint]
        if minutes and None not in minutes:
            row['training, min'] = minutes if len(minutes) > 1 else minutes[0]


def _predictor_macs(entry: Entry, steps: int, sizes: dict[str, tuple[int, int]]) -> int:
    """``sizes`` holds the frame sizes of the data sets that were opened before, and gets this one's."""
    cfg = with_horizon(entry.config, steps)
    data = str(cfg.test_dataloader.dataset)
    if data not in sizes:
        sizes[data] = tuple(build_loader(cfg).dataset[0]['inputs'].shape[-2:])
    costs, _, _ = count_costs(cfg, sizes[data], changes=entry.model)
    (predictor,) = (cost for cost in costs if cost.part == 'predictor')
    return predictor.forecast_macs


def training_minutes(checkpoint: str) -> float | None:
    """Minutes of the iterations of a training, from the log in its checkpoint.

    With those of the training that it was fine-tuned from. Validation is not counted, nor that of a frozen
    encoder.

    Args:
        checkpoint: Path.

    Returns:
        None where the file has no log, as published weights, or a file that it was fine-tuned from has none.
    """
    if not os.path.isfile(checkpoint):
        return None
    hub = load_checkpoint(checkpoint, map_location='cpu').get('message_hub')
    times = hub['log_scalars'].get('train/time') if isinstance(hub, Mapping) else None
    if times is None:
        return None
    minutes = float(from_plain(times).data[0].sum()) / 60
    start = Config.fromstring(hub['runtime_info']['cfg'], '.py').get('load_from')
    if not start:
        return minutes
    earlier = training_minutes(start)
    return None if earlier is None else minutes + earlier
