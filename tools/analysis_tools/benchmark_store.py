"""The rate at which clips of cached features are read at random, against plain reads of the same bytes.

Writes a store of random features, and reads every frame of it once per round: the files from start to end, the
clips in random order by plain reads, and the same clips in the same order through ``LoadClipFeatures``. In the
first table the operating system has dropped the files from its cache before each; in the second it holds them.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from mmforecast.cli.common import cli_errors
from mmforecast.datasets.representation_store import Level, StoreManifest, StoreWriter
from mmforecast.datasets.transforms.representations import LoadClipFeatures
from mmforecast.evaluation.table import format_table
from mmforecast.utils.checks import check_positive
from mmforecast.utils.timing import Spent, timed

EXAMPLES = """examples:
  # P5 of frames of 1024x2048, 32 sequences of 30 frames, 1 GB
  python tools/analysis_tools/benchmark_store.py --folder work_dirs/store
  # P4
  python tools/analysis_tools/benchmark_store.py --shape 256 64 128 --sequences 8 --folder work_dirs/store
"""
CLIP, STRIDE = 5, 3  # as F2F is trained; a block of 15 frames holds 3 clips without a common frame
BLOCK = CLIP * STRIDE
LEVEL = 'P5'


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--shape', type=int, nargs=3, default=(256, 32, 64), metavar=('C', 'H', 'W'))
    parser.add_argument('--sequences', type=int, default=32, help='of 30 frames (default: 32)')
    parser.add_argument('--rounds', type=int, default=5, help='rounds of each kind (default: 5)')
    parser.add_argument('--folder', help='on the disk that is measured (default: a temporary folder)')
    return parser.parse_args(argv)


def write_store(root: str, shape: tuple[int, int, int], num_sequences: int) -> list[tuple[str, list[str]]]:
    """Write features of sequences of two blocks of frames; returns ids and frame names."""
    writer = StoreWriter(root, StoreManifest('random', '', [Level(LEVEL, shape)], 'random'))
    draw = np.random.default_rng(0)
    names = [f'{frame:06d}' for frame in range(2 * BLOCK)]
    sequences = [(f'sequence_{number:03d}', names) for number in range(num_sequences)]
    for identity, _ in sequences:
        features = draw.standard_normal((len(names), *shape), dtype=np.float32)
        writer.write_sequence(LEVEL, identity, names, features)
    return sequences


def random_clips(sequences: list[tuple[str, list[str]]], seed: int) -> list[tuple[str, list[int]]]:
    """Sequence and frame indices of clips in random order that hold every frame once."""
    clips = [
        (identity, list(range(block + offset, block + BLOCK, STRIDE)))
        for identity, names in sequences
        for block in range(0, len(names), BLOCK)
        for offset in range(STRIDE)
    ]
    np.random.default_rng(seed).shuffle(clips)
    return clips


def drop_from_cache(paths: list[Path]) -> None:
    """Ask the operating system to forget the files' content, which needs no rights of its own."""
    for path in paths:
        with open(path, 'rb') as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_whole(paths: list[Path]) -> Iterator[np.ndarray]:
    """Read each file from start to end."""
    for path in paths:
        yield np.fromfile(path, dtype='<f2')


def read_plain(
    folder: Path, shape: tuple[int, int, int], clips: list[tuple[str, list[int]]]
) -> Iterator[np.ndarray]:
    """Read the frames of the clips by their positions in files that ``numpy.save`` wrote."""
    size = int(np.prod(shape))
    for identity, frames in clips:
        path = folder / f'{identity}.npy'
        start = path.stat().st_size - 2 * BLOCK * size * 2
        clip = np.empty((len(frames), *shape), dtype='<f2')
        with open(path, 'rb', buffering=0) as file:
            for row, frame in zip(clip, frames):
                file.seek(start + frame * size * 2)
                file.readinto(row)
        yield clip


def read_store(root: str, names: list[str], clips: list[tuple[str, list[int]]]) -> Iterator[np.ndarray]:
    """Read the clips as training does, and copy them into arrays of their own."""
    transform = LoadClipFeatures(root)
    for identity, frames in clips:
        clip = dict(sequence_id=identity, frame_names=[names[frame] for frame in frames])
        (features,) = transform(clip)['features']
        yield np.array(features)


def measure(
    root: str, shape: tuple[int, int, int], sequences: list[tuple[str, list[str]]], rounds: int, cached: bool
) -> list[dict[str, str]]:
    """Rows of a table: rates, and times as multiples of that of the plain reads, round by round."""
    folder = Path(root) / 'data' / LEVEL
    paths = sorted(folder.glob('*.npy'))
    times: dict[str, list[Spent]] = {}
    for number in range(rounds + cached):
        clips = random_clips(sequences, number)
        kinds: dict[str, Callable[[], Iterator[np.ndarray]]] = {
            'files, start to end': lambda: read_whole(paths),
            'clips, plain reads': lambda clips=clips: read_plain(folder, shape, clips),
            'clips, LoadClipFeatures': lambda clips=clips: read_store(root, sequences[0][1], clips),
        }
        for name in list(kinds)[:: 1 if number % 2 else -1]:
            if not cached:
                drop_from_cache(paths)
            spent, _ = timed(_exhaust, kinds[name])
            if number or not cached:  # the first round fills the cache
                times.setdefault(name, []).append(spent)
    return _rows(times, kinds, sum(path.stat().st_size for path in paths) / 1e6)


def _exhaust(read: Callable[[], Iterator[np.ndarray]]) -> None:
    for _ in read():
        pass


def _rows(times: dict[str, list[Spent]], names, megabytes: float) -> list[dict[str, str]]:
    rows = []
    for name in names:
        pairs = list(zip(times[name], times['clips, plain reads']))
        clock = [own.clock / plain.clock for own, plain in pairs]
        processor = [own.processor / plain.processor for own, plain in pairs]
        rows.append(
            {
                'read': name,
                'MB/s, median': f'{megabytes / statistics.median(spent.clock for spent in times[name]):.0f}',
                'time / plain reads': f'{statistics.median(clock):.2f}',
                'range': f'{min(clock):.2f} to {max(clock):.2f}',
                'processor time / plain reads': f'{statistics.median(processor):.2f}',
            }
        )
    return rows


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    check_positive('benchmark_store', sequences=args.sequences, rounds=args.rounds)
    shape = tuple(args.shape)
    if args.folder is not None:
        Path(args.folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.folder) as root:
        sequences = write_store(root, shape, args.sequences)
        megabytes = np.prod(shape) * 2 / 1e6
        print(
            f'{args.sequences} sequences of {2 * BLOCK} frames of {shape} float16, {megabytes:.2f} MB a frame'
        )
        for cached, title in ((False, 'Not in the cache'), (True, 'In the cache')):
            rows = measure(root, shape, sequences, args.rounds, cached)
            print(f'\n{title}\n{format_table(rows, list(rows[0]))}')


if __name__ == '__main__':
    with cli_errors():
        main()
