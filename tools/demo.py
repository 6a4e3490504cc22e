"""The main job end to end on data it makes itself: a street, forecasters, one table, one picture."""

import argparse
import time
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmforecast.apis.compare import (
    Entry,
    compare,
    comparison_columns,
    save_comparison,
    with_baselines,
)
from mmforecast.apis.evaluate import build_loader, load_config
from mmforecast.apis.report import ClipCollector, make_page, view_of
from mmforecast.apis.report_parts import config_view, data_sentence
from mmforecast.cli.common import cli_errors
from mmforecast.evaluation.table import format_table
from mmforecast.street import write_dataset
from mmforecast.structures.cityscapes import CITYSCAPES_METAINFO
from mmforecast.utils.progress import progress_bar
from mmforecast.visualization import forecast_animation, instance_classes, write_gif
from mmforecast.visualization.report import SectionView

ROOT = Path(__file__).resolve().parents[1]
S2S_CONFIG = ROOT / 'configs/s2s/s2s_warp_tiny_synthetic.py'
F2F_CONFIG = ROOT / 'configs/f2f/f2f_warp_tiny_synthetic.py'
F2F_WEIGHTS = ROOT / 'configs/f2f/weights/f2f_warp_tiny_synthetic-6e61a82d.pth'
S2S, F2F = 'S2S-warp (trained here)', 'F2F-warp (shipped weights)'
# Drawn beside the truth.
DRAWN = ('copy-last', S2S, F2F)
HORIZONS = (1, 3)
# The trained forecaster, its baselines and horizons, by what is forecast.
SYSTEMS = {
    'label maps': (S2S, ['copy-last', 'flow'], HORIZONS),
    'instances': (F2F, ['copy-last', 'flow-shift', 'flow-warp'], HORIZONS[-1:]),
}
EXAMPLES = """examples:
  %(prog)s
  # a quick look; its scores say little
  %(prog)s --train 8 --val 4 --iters 60 --work-dir work_dirs/look
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
    s2s, f2f = s2s_config(args, data), load_config(str(F2F_CONFIG), on_data(data))
    print(f'[2/4] training {args.iters} iterations (log: {s2s.work_dir}), {clock(start)}')
    checkpoint = train(s2s)
    print(f'[3/4] scoring label maps, then instances, beside the baselines, {clock(start)}')
    clips, views, rows = {}, [], []
    for kind, cfg, weights in (
        ('label maps', s2s, checkpoint),
        ('instances', f2f, str(F2F_WEIGHTS)),
    ):
        drawn = ClipCollector(args.pictures, max(HORIZONS), args.val)
        found = score(kind, cfg, weights, [keeper(clips, args.pictures), drawn])
        views.append(section(kind, cfg, found, drawn))
        rows += [dict(row, forecast=kind) for row in found]
    columns = ['forecast', *comparison_columns(rows)]
    save_comparison(rows, columns, args.work_dir)
    print(f'[4/4] drawing the forecasts, {clock(start)}')
    gifs = draw(clips, args.work_dir)
    make_page(args.work_dir / 'index.html', 'Half a second ahead on the synthetic street', views)
    print()
    print(format_table(rows, columns))
    print()
    print(
        'In %, at the given time ahead. mIoU: mean intersection over union of the 19 classes, IoU-MO: of '
        'the moving objects;\nAP50, AP: average precision of instances, by the rules of Cityscapes. '
        'Forecasts of label maps start from the true\nones of the past, forecasts of instances from what '
        'a detector sees in the past frames.'
    )
    for path in gifs:
        print(f'picture: {path}')
    print(f'table:   {args.work_dir / "table.md"}')
    print(f'report:  {args.work_dir / "index.html"}')
    print(f'done in {clock(start)}')


def on_data(data: Path) -> dict:
    """Options that put the demo's data in place of a config's."""
    return {f'{split}_dataloader.dataset.data_root': str(data) for split in ('train', 'val', 'test')}


def s2s_config(args, data: Path) -> Config:
    """The tiny config on the demo's data and number of iterations."""
    warm_up = max(1, min(50, args.iters // 2))
    return load_config(
        str(S2S_CONFIG),
        {
            **on_data(data),
            'work_dir': str(args.work_dir / 'train'),
            'train_cfg.max_iters': args.iters,
            'train_cfg.val_interval': args.iters + 1,  # scored below, beside the baselines
            'param_scheduler.0.end': warm_up,
            'param_scheduler.1.begin': warm_up,
            'param_scheduler.1.end': args.iters,
            'default_hooks.checkpoint.interval': args.iters,
            'log_level': 'ERROR',
            'randomness.seed': 0,  # so that the table is that of the README
        },
    )


class ProgressBar(Hook):
    """Iterations and the loss, on one line."""

    def __init__(self, total: int):
        self.bar = progress_bar(total=total, desc='training', unit='step')

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


def score(kind, cfg, checkpoint, keepers) -> list:
    """Rows of the table; each forecast is shown to all ``keepers``."""
    learned, baselines, horizons = SYSTEMS[kind]
    entries = with_baselines(cfg, [Entry(learned, cfg, checkpoint)], [*baselines, 'oracle'])
    return compare(entries, horizons, on_sample=lambda *args: [keep(*args) for keep in keepers])


def section(kind, cfg, rows, collector) -> SectionView:
    """The report's section of one kind of forecast."""
    view = view_of(kind.capitalize(), rows, comparison_columns(rows), collector, CITYSCAPES_METAINFO)
    view.data = data_sentence(cfg, build_loader(cfg).dataset, SYSTEMS[kind][2])
    view.configs = [config_view('data, baselines and trained forecaster', cfg)]
    return view


def keeper(clips: dict, num_pictures: int):
    """Adds the forecasts that go into GIFs to ``clips``, by sequence."""

    def keep(name, steps, sample, clip):
        if steps != max(HORIZONS) or name not in DRAWN:
            return
        if sample.sequence_id not in clips and len(clips) >= num_pictures:
            return
        entry = clips.setdefault(sample.sequence_id, dict(clip=clip, maps={}, instances={}))
        if 'pred_instances' in sample:
            entry['instances'][name] = sample.pred_instances
            entry['instance_sample'] = sample
        else:
            entry['maps'][name] = np.asarray(sample.pred_sem_seg.data.cpu())
            entry['sample'] = sample

    return keep


def draw(clips: dict, folder: Path) -> list:
    """One GIF per clip: the past plays, then truth beside the forecasts, label maps above instances."""
    meta = CITYSCAPES_METAINFO
    paths = []
    for sequence, clip in clips.items():
        sample = clip['sample']
        sample.gt_instance_map = clip['instance_sample'].gt_instance_map
        # The names of both kinds stand in one picture, so they must differ.
        instances = {f'{name} ': forecast for name, forecast in clip['instances'].items()}
        frames = forecast_animation(
            sample,
            clip['clip'],
            {**clip['maps'], **instances},
            palette=meta['palette'],
            classes=meta['classes'],
            instance_classes=instance_classes(meta),
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
