"""Forecast thousands of tiny videos, and print the memory of the command and of its workers on the way.

    python tools/misc/soak_batch.py --videos 2000 --workers 2
    python tools/misc/soak_batch.py --max-growth 5     # status 1 where one grows by more MB after warming up

The memory is what is private to each process, in MB of 10**6 bytes, as Linux knows it. It needs the extras
batch and video. Its numbers are in docs/scale.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from mmforecast.visualization import write_video

ROOT = Path(__file__).resolve().parents[2]
WARM_UP = 200  # videos, in which caches fill


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--videos', type=int, default=2000)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--interval', type=int, default=200, help='videos between two readings')
    parser.add_argument('--max-growth', type=float, help='MB, from 200 videos to the end, that are a leak')
    return parser.parse_args()


def write_videos(folder: Path, count: int) -> None:
    """Links to a few videos of 13 to 16 frames of 64x48 pixels, each with a name of its own."""
    frames = np.random.default_rng(0).integers(0, 256, (16, 48, 64, 3), dtype=np.uint8)
    for length in range(13, 17):
        write_video(folder / f'{length}.mp4', list(frames[:length]), 10, hold_last=0)
    (folder / 'drives').mkdir()
    for number in range(count):
        (folder / 'drives' / f'{number}.mp4').symlink_to(folder / f'{13 + number % 4}.mp4')


def private_mb(pid: int) -> float:
    """Memory that a process shares with no other, in MB."""
    lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith('Private_')) * 1024 / 1e6


def workers_of(pid: int) -> list[int]:
    """Process ids of the workers of a command, in the order of their start."""
    children = Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    return [int(child) for child in children if b'spawn_main' in Path(f'/proc/{child}/cmdline').read_bytes()]


def run(folder: Path, args: argparse.Namespace) -> list[list[float]]:
    """Readings of the memory of the command and its workers, one list per interval."""
    command = [
        sys.executable,
        '-m',
        'mmforecast',
        'batch',
        str(folder / 'drives'),
        '--out',
        str(folder / 'out'),
    ]
    command += ['--workers', str(args.workers), '--threads', '1', '--log-json']
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    readings, finished = [], 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        for line in process.stdout:
            finished += json.loads(line)['event'] == 'unit'
            if finished >= args.interval * (len(readings) + 1) and finished < args.videos:
                readings.append([private_mb(pid) for pid in (process.pid, *workers_of(process.pid))])
                print(f'{finished:6}', *(f'{memory:8.1f}' for memory in readings[-1]), flush=True)
    if process.returncode:
        sys.exit(f'the command ended with status {process.returncode}')
    return readings


def main() -> None:
    args = parse_args()
    print('videos  command  workers (MB)')
    with tempfile.TemporaryDirectory() as folder:
        write_videos(Path(folder), args.videos)
        readings = run(Path(folder), args)
    settled = readings[max(0, WARM_UP // args.interval - 1) :]
    growth = [last - first for first, last in zip(settled[0], settled[-1])]
    print('growth', *(f'{memory:8.1f}' for memory in growth))
    if args.max_growth is not None and max(growth) > args.max_growth:
        sys.exit(1)


if __name__ == '__main__':
    main()
