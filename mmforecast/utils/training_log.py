"""Training logs, read back as curves and times."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from mmforecast.utils.checks import check_fraction

__all__ = ['TrainingLog', 'read_log', 'smooth', 'time_statistics']

_FILE = 'vis_data/scalars.json'
_NO_CURVES = ('iter', 'step', 'epoch', 'trained')


@dataclass
class TrainingLog:
    """Of one training, which may have been resumed several times.

    Attributes:
        name: Of its folder, or what it was read from.
        runs: By run, its records in order: what was logged at an iteration ('iter'). Scores of a validation
            stand at the iteration they are of.
    """

    name: str
    runs: list[list[dict]]

    def keys(self) -> list[str]:
        """What there are curves of."""
        records = (record for run in self.runs for record in run)
        found = dict.fromkeys(
            key for record in records for key, value in record.items() if isinstance(value, (int, float))
        )
        return [key for key in found if key not in _NO_CURVES]

    def curve(self, key: str) -> tuple[np.ndarray, np.ndarray]:
        """Iterations and values; what a later run logged takes the place of an earlier one's.

        Raises:
            ValueError: Nothing of that name was logged.
        """
        points: dict[int, float] = {}
        for run in self.runs:
            own = {record['iter']: record[key] for record in run if key in record}
            start = min(own, default=np.inf)
            points = {step: value for step, value in points.items() if step < start} | own
        if not points:
            raise ValueError(f'{self.name} has no {key!r}; it has: {", ".join(self.keys())}')
        steps = sorted(points)
        return np.array(steps), np.array([points[step] for step in steps], dtype=np.float64)


def read_log(path: str | PathLike) -> TrainingLog:
    """Read what mmengine's LocalVisBackend wrote.

    Args:
        path: A work directory, of which all runs are read; or of one run its folder, its ``scalars.json`` (or
            ``<time>.json``), or its text log, beside which that lies.

    Raises:
        FileNotFoundError: There is no such log.
        ValueError: It is none, or is empty.
    """
    path = Path(path)
    files = _files(path)
    if not files:
        raise FileNotFoundError(
            f'there is no log at {path}: give a work directory, or the scalars.json below it, which '
            "needs a visualizer with dict(type='LocalVisBackend')"
        )
    runs = [_records(file) for file in files]
    if not any(runs):
        raise ValueError(f'{files[-1]} is empty: nothing was logged yet')
    is_folder = path.is_dir() and not (path / _FILE).is_file()
    return TrainingLog(path.resolve().name if is_folder else _run_name(files[0]), runs)


def smooth(values: Sequence[float], weight: float) -> np.ndarray:
    """Exponential moving average as TensorBoard draws it, unbiased at its beginning.

    Args:
        values: In order.
        weight: Of what came before, in [0, 1); 0 changes nothing.
    """
    check_fraction('smooth', smoothing=weight)
    result, mean = [], 0.0
    for number, value in enumerate(values, 1):
        mean = weight * mean + (1 - weight) * value
        result.append(mean / (1 - weight**number))
    return np.array(result)


def time_statistics(log: TrainingLog, include_outliers: bool = False) -> dict[str, float]:
    """Seconds per training iteration.

    Args:
        log: Each of its values is a mean over the iterations since the one before.
        include_outliers: Count the first value of every run too, in which things warm up.

    Returns:
        'mean', 'median', 'std', 'fastest', 'slowest', 'data' (mean of what was spent on waiting for data) and
        'values', their number.

    Raises:
        ValueError: There is no value to count.
    """
    skip = 0 if include_outliers else 1
    counted = [
        record for run in log.runs for record in [r for r in run if r['trained'] and 'time' in r][skip:]
    ]
    if not counted:
        raise ValueError(
            f'{log.name} has too few values of time per iteration; --include-outliers counts the first too'
        )
    times = np.array([record['time'] for record in counted])
    return dict(
        mean=times.mean(),
        median=np.median(times),
        std=times.std(),
        fastest=times.min(),
        slowest=times.max(),
        data=np.mean([record.get('data_time', 0) for record in counted]),
        values=len(times),
    )


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix == '.json' else [p for p in [path.parent / _FILE] if p.exists()]
    return [path / _FILE] if (path / _FILE).is_file() else sorted(path.glob(f'*/{_FILE}'))


def _run_name(file: Path) -> str:
    folder = file.resolve().parent
    return folder.parent.name if folder.name == 'vis_data' else file.name


def _records(file: Path) -> list[dict]:
    records, last = [], 0
    for number, line in enumerate(file.read_text().splitlines(), 1):
        try:
            record = json.loads(line)
            step = int(record['step'])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(
                f'{file}, line {number}, is no record of a training: {line[:60]!r}; give a scalars.json'
            ) from error
        # Scores are logged with the number of the epoch, or of the iteration.
        trained = 'iter' in record
        last = int(record['iter']) if trained else max(last, step)
        times = {} if trained else {'time': None, 'data_time': None}
        records.append({**record, **times, 'iter': last, 'trained': trained})
    return [{k: v for k, v in record.items() if v is not None} for record in records]
