"""The main job end to end on data it makes itself: a street, a trained forecaster, a table, a picture."""

import argparse
import time
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from mmforecast.apis.compare import (
    Entry,
    baseline_entries,
    compare,
    comparison_columns,
    save_comparison,
)
from mmforecast.apis.evaluate import load_config
from mmforecast.datasets.labels import CITYSCAPES_METAINFO
from mmforecast.datasets.synthetic import write_dataset
from mmforecast.engine import cli_errors
from mmforecast.evaluation.table import format_table
from mmforecast.visualization import forecast_animation, write_gif

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / 'configs/s2s/s2s_warp_tiny_synthetic.py'
LEARNED = 'S2S-warp (trained here)'
HORIZONS = (1, 3)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', type=Path, default=ROOT / 'work_dirs/demo')
    parser.add_argument('--train', type=int, default=72, help='sequences to train on')
    parser.add_argument('--val', type=int, default=50, help='sequences to score on')
    parser.add_argument('--iters', type=int, default=300, help='training iterations')
    parser.add_argument('--pictures', type=int, default=2, help='animated clips')
    return parser.parse_args()


def main():
    args = parse_args()
    start = time.time()
    print(f'[1/4] drawing {args.train + args.val} street sequences of 30 frames, 128x256')
    data = args.work_dir / 'synthetic_street'
    write_dataset(data, dict(train=args.train, val=args.val), height=128, width=256, workers=2)
    cfg = demo_config(args, data)
    print(f'[2/4] training {args.iters} iterations (log: {cfg.work_dir}), {clock(start)}')
    checkpoint = train(cfg)
    print(f'[3/4] scoring it beside the baselines, {clock(start)}')
    rows, clips = score(cfg, checkpoint, args.pictures)
    columns = comparison_columns(rows)
    save_comparison(rows, columns, args.work_dir)
    print(f'[4/4] drawing the forecasts, {clock(start)}')
    gifs = draw(clips, cfg, args.work_dir)
    print()
    print(format_table(rows, columns))
    print()
    print(
        'mIoU: mean intersection over union of the 19 classes, IoU-MO: of the moving objects, in %, '
        'at the given time ahead.'
    )
    for path in gifs:
        print(f'picture: {path}')
    print(f'table:   {args.work_dir / "table.md"}')
    print(f'done in {clock(start)}')


def demo_config(args, data: Path) -> Config:
    """The tiny config on the demo's data and number of iterations."""
    return load_config(
        str(CONFIG),
        {
            'work_dir': str(args.work_dir / 'train'),
            'train_dataloader.dataset.data_root': str(data),
            'val_dataloader.dataset.data_root': str(data),
            'test_dataloader.dataset.data_root': str(data),
            'train_cfg.max_iters': args.iters,
            'train_cfg.val_interval': args.iters + 1,  # scored below, beside the baselines
            'param_scheduler.1.end': args.iters,
            'default_hooks.checkpoint.interval': args.iters,
            'log_level': 'ERROR',
        },
    )


class ProgressBar(Hook):
    """Iterations and the loss, on one line."""

    def __init__(self, total: int):
        self.bar = tqdm(total=total, desc='training', unit='step', mininterval=1.0)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.bar.set_postfix(loss=f'{outputs["loss"].item():.3f}', refresh=False)
        self.bar.update()

    def after_train(self, runner):
        self.bar.close()


def train(cfg: Config) -> str:
    """Train in this process; the path of the last checkpoint."""
    runner = Runner.from_cfg(cfg.copy())
    runner.register_hook(ProgressBar(cfg.train_cfg.max_iters))
    runner.train()
    return str(Path(cfg.work_dir) / f'iter_{cfg.train_cfg.max_iters}.pth')


def score(cfg: Config, checkpoint: str, num_pictures: int):
    """Rows of the table, and per picture the sample, its clip and every method's label maps."""
    clips = {}

    def keep(name, steps, sample, clip):
        if steps != max(HORIZONS) or name == 'oracle':
            return
        if sample.sequence_id not in clips and len(clips) >= num_pictures:
            return
        entry = clips.setdefault(sample.sequence_id, dict(sample=sample, clip=clip, methods={}))
        entry['methods'][name] = np.asarray(sample.pred_sem_seg.data.cpu())

    entries = [
        *baseline_entries(cfg, ['copy-last', 'flow']),
        Entry(LEARNED, cfg, checkpoint),
        *baseline_entries(cfg, ['oracle']),
    ]
    return compare(entries, HORIZONS, on_sample=keep), clips


def draw(clips: dict, cfg: Config, folder: Path) -> list:
    """One GIF per clip: the past plays, then truth beside the forecasts."""
    meta = CITYSCAPES_METAINFO
    paths = []
    for sequence, clip in clips.items():
        frames = forecast_animation(
            clip['sample'],
            clip['clip'],
            clip['methods'],
            palette=meta['palette'],
            classes=meta['classes'],
        )
        paths.append(folder / f'forecast_{sequence}.gif')
        write_gif(paths[-1], frames)
    return paths


def clock(start: float) -> str:
    """Minutes and seconds since ``start``."""
    minutes, seconds = divmod(round(time.time() - start), 60)
    return f'{minutes} min {seconds:02d} s'


if __name__ == '__main__':
    with cli_errors():
        main()
