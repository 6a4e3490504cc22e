"""The command ``mmforecast batch`` on sixty videos, some of them broken, and what it leaves behind."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from mmforecast.apis.batch import read_manifest
from mmforecast.apis.batch.inputs import find_inputs
from mmforecast.visualization import write_video

ROOT = Path(__file__).resolve().parents[3]
NUM_VIDEOS = 60
BROKEN = 5
TIME = ['--horizon', '1', '--every', '1', '--threads', '1']
# A small detector that finds something in everything.
DETECTOR = ['--system', 'f2f', *TIME, '--cfg-options', 'model.encoder.size=(64,96)', 'model.encoder.chunk=1']
DETECTOR += [f'model.encoder.detector.test_cfg.rcnn.{key}' for key in ('score_thr=0.0', 'max_per_img=3')]
# Forecast frames, by the model that starts and works fastest.
FRAMES = ['--baseline', 'copy-last', '--keep-frames', *TIME]


def write_sixty(folder):
    """Sixty short videos, a cut one, an empty one, a text, one of two frames, and a link to nowhere."""
    odd = ['a b', "it's", '"quoted"', 'größe', '日本', '[1]', '#1', '-x', 'a;b', 'a$b']
    names = [*odd, *(f'v{number}' for number in range(NUM_VIDEOS - len(odd)))]
    for seed, name in enumerate(names):
        ground = np.random.default_rng(seed).integers(0, 120, (48, 64, 3), dtype=np.uint8)
        frames = np.repeat(ground[None], 13 + seed % 4, axis=0)
        for number, frame in enumerate(frames):
            frame[12:28, 4 + number : 20 + number] = (250, 200, 40)
        write_video(folder / f'{name}.mp4', list(frames), 10, hold_last=0)
    (folder / 'v0.mp4').write_text('no video')
    (folder / 'v1.mp4').write_bytes(b'')
    whole = (folder / 'v2.mp4').read_bytes()
    (folder / 'v2.mp4').write_bytes(whole[: len(whole) * 2 // 3])
    write_video(folder / 'v3.mp4', [np.zeros((48, 64, 3), np.uint8)] * 2, 10, hold_last=0)
    (folder / 'v4.mp4').unlink()
    (folder / 'v4.mp4').symlink_to(folder / 'gone.mp4')
    assert len(find_inputs([str(folder)])) == NUM_VIDEOS
    return folder


def start(videos, out, *options, model=DETECTOR, before=()):
    """The process of a command; ``before`` are words of a command that runs it."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
    argv = [*before, sys.executable, '-m', 'mmforecast', 'batch', videos, '--out', out, *model, *options]
    return subprocess.Popen(
        list(map(str, argv)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # a shell that runs the tests in the background lets its children ignore Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def run(videos, out, *options, status=3, **more):
    """What a command prints until its end, with the status that is expected."""
    process = start(videos, out, *options, **more)
    printed, errors = process.communicate()
    assert process.returncode == status, printed + errors
    return printed + errors


def results(out):
    """All rows, sorted, by table; digests of arrays by path; and the sentences of failures."""
    import pyarrow.parquet as parquet

    tables = {}
    for kind in ('forecasts', 'instances'):
        rows = [row for path in out.glob(f'{kind}/*') for row in parquet.read_table(path).to_pylist()]
        tables[kind] = sorted(json.dumps(row, sort_keys=True) for row in rows)
    tables['arrays'] = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.glob('*/*.npz')
    }
    entries = read_manifest(out)
    assert {entry['state'] for entry in entries} <= {'done', 'failed', 'split'}
    done = sorted(file for entry in entries if entry['state'] == 'done' for file in entry['files'])
    assert done == sorted(path.relative_to(out).as_posix() for path in out.glob('*/*'))
    tables['failures'] = sorted(entry['sentence'] for entry in entries if entry['state'] == 'failed')
    return tables


def workers_of(process):
    """Process ids of the local workers of a command."""
    try:
        found = Path(f'/proc/{process}/task/{process}/children').read_text().split()
        return [pid for pid in map(int, found) if b'spawn_main' in Path(f'/proc/{pid}/cmdline').read_bytes()]
    except OSError:
        return []


def wait_for_units(out, count, process):
    """Wait until so many units have rows, or the command has ended."""
    while process.poll() is None and len(list(out.glob('forecasts/*.parquet'))) < count:
        time.sleep(0.05)
