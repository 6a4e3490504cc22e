"""Measure, by turns, what a second worker brings to a batch and to an extraction, and what Ray costs.

    python tools/misc/benchmark_batch.py --pairs 5
    python tools/misc/benchmark_batch.py --only ray --frames 600

Each pair of runs does the same units of work, one after the other, in an order that changes. A rate is counted
from the times at which results were written, once each worker has done its first unit: loading the model is
no part of it. Ratios of rates mean something only on cores that nobody else uses; the load before each pair is
printed beside them. The ratio of processor seconds per unit, loading included, says more where others work.
Ray's workers are no children of the command, so theirs are unknown.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmforecast.evaluation import format_table
from mmforecast.utils.timing import timed_python
from mmforecast.visualization import write_video

ROOT = Path(__file__).resolve().parents[2]
# Features of a Mask R-CNN whose weights are shipped.
CONFIG = ROOT / 'configs/f2f/f2f_small_synthetic.py'


@dataclass(frozen=True)
class Timing:
    """What a run took.

    Attributes:
        rate: Units per second on the clock.
        processor: Processor seconds per unit, of the command and its children.
    """

    rate: float
    processor: float


@dataclass(frozen=True)
class Comparison:
    """Two commands that do the same work.

    Attributes:
        title: What is compared.
        commands: Arguments of Python of both, but for the output folder.
        files: Pattern of the files in it; those of a unit have one name.
        workers: Of each.
    """

    title: str
    commands: tuple[list[str], list[str]]
    files: str
    workers: tuple[int, int]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--pairs', type=int, default=5, help='pairs of runs (default: 5)')
    parser.add_argument('--units', type=int, default=12, help='videos, or sequences (default: 12)')
    parser.add_argument('--frames', type=int, default=200, help='of a video (default: 200)')
    parser.add_argument('--size', type=int, nargs=2, default=(120, 160), help='of frames (default: 120 160)')
    parser.add_argument('--only', nargs='+', choices=list(COMPARISONS), default=list(COMPARISONS))
    return parser.parse_args(argv)


def compare_workers(args: argparse.Namespace, folder: Path) -> Comparison:
    """A batch by two workers and by one."""
    batch = batch_command(args, folder)
    commands = [*batch, '--workers', '2'], [*batch, '--workers', '1']
    return Comparison('batch, 2 workers to 1', commands, 'forecasts/*.parquet', (2, 1))


def compare_ray(args: argparse.Namespace, folder: Path) -> Comparison:
    """A batch by two actors of Ray and by two processes."""
    batch = [*batch_command(args, folder), '--workers', '2']
    commands = [*batch, '--ray', 'local'], batch
    return Comparison('batch, 2 actors to 2 processes', commands, 'forecasts/*.parquet', (2, 2))


def compare_extraction(args: argparse.Namespace, folder: Path) -> Comparison:
    """An extraction by two workers and by one."""
    street = folder / 'street'
    if not street.exists():
        tool = ROOT / 'tools/dataset_converters/synthetic_cityscapes.py'
        options = ['--train', args.units, '--val', 0, '--size', '256x512', '--frames', 20]
        run_python([tool, '--out', street, *options])
    command = [ROOT / 'tools/extract_representations.py', CONFIG, 'none', '--splits', 'train', '--chunk', 1]
    command += ['--threads', 1, '--cfg-options', f'train_dataloader.dataset.data_root={street}']
    command = list(map(str, command))
    commands = [*command, '--workers', '2'], [*command, '--workers', '1']
    return Comparison('extraction, 2 workers to 1', commands, 'train/data/*/*.npy', (2, 1))


COMPARISONS: dict[str, Callable[[argparse.Namespace, Path], Comparison]] = dict(
    workers=compare_workers, ray=compare_ray, extraction=compare_extraction
)


def batch_command(args: argparse.Namespace, folder: Path) -> list[str]:
    """Arguments of Python that forecast the videos of a folder, which are written if they are not there."""
    videos = folder / 'videos'
    if not videos.exists():
        videos.mkdir()
        for number in range(args.units):
            write_drive(videos / f'{number}.mp4', args.frames, tuple(args.size), number)
    return ['-m', 'mmforecast', 'batch', str(videos), '--threads', '1']


def write_drive(path: Path, num_frames: int, size: tuple[int, int], seed: int) -> None:
    """A texture (height, width) that moves by two pixels a frame."""
    coarse = np.random.default_rng(seed).integers(0, 256, (size[0] // 8, size[1] // 4, 3), dtype=np.uint8)
    wide = coarse.repeat(8, axis=0).repeat(8, axis=1)  # twice as wide as a frame
    write_video(path, [np.roll(wide, 2 * t, axis=1)[:, : size[1]] for t in range(num_frames)], 30, hold_last=0)


def run_python(arguments: list) -> float:
    """Processor seconds of a run of Python and its children.

    Raises:
        RuntimeError: It fails.
    """
    environment = {'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
    return timed_python(list(map(str, arguments)), environment)[0].processor


def measure(comparison: Comparison, which: int) -> Timing:
    """The timing of one of both commands."""
    with tempfile.TemporaryDirectory() as folder:
        processor = run_python([*comparison.commands[which], '--out', folder])
        times: dict[str, float] = {}
        for path in Path(folder).glob(comparison.files):  # a sequence has a file per level
            times[path.name] = max(path.stat().st_mtime, times.get(path.name, 0))
    return Timing(rate_of(sorted(times.values()), comparison.workers[which]), processor / len(times))


def rate_of(times: list[float], workers: int) -> float:
    """Units per second from the moment at which each worker has done one.

    Args:
        times: Seconds at which units were done, ascending.
        workers: Their number.

    Raises:
        ValueError: There are no more units than workers.
    """
    if len(times) <= workers:
        raise ValueError(f'{len(times)} units say nothing of {workers} workers: give more --units')
    return (len(times) - workers) / (times[-1] - times[workers - 1])


def run_pairs(comparison: Comparison, pairs: int) -> list[dict]:
    """A row of the table per pair of runs, and one of the medians."""
    rows = []
    for number in range(pairs):
        load = os.getloadavg()[0]
        order = (0, 1) if number % 2 == 0 else (1, 0)
        found = {which: measure(comparison, which) for which in order}
        first, second = found[0], found[1]
        row = {
            'comparison': comparison.title,
            'load before': load,
            's per unit, second': 1 / second.rate,
            'units per s, ratio': first.rate / second.rate,
            'processor s, ratio': first.processor / second.processor,
        }
        rows.append(row)
        print(format_table([row], decimals=3), file=sys.stderr, flush=True)
    ratios = [name for name in rows[0] if 'ratio' in name]
    medians = {name: statistics.median(row[name] for row in rows) for name in ratios}
    return [*rows, dict(comparison=f'{comparison.title}, median', **medians)]


def main() -> None:
    args = parse_args()
    print(f'{os.cpu_count()} cores')
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in args.only:
            rows += run_pairs(COMPARISONS[name](args, Path(folder)), args.pairs)
    print(format_table(rows, decimals=3))


if __name__ == '__main__':
    main()
