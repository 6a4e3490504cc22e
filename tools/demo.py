"""The main job end to end on data it makes itself: a first look, then training, one table, pictures."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
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
S2S_CONFIG = ROOT / 'configs/s2s/s2s_ego-correct_tiny_synthetic.py'
MOTION_CONFIG = ROOT / 'configs/motion/s2s_labels_synthetic.py'  # which names its weights
F2F_CONFIG = ROOT / 'configs/f2f/f2f_warp_tiny_synthetic.py'
F2F_WEIGHTS = ROOT / 'configs/f2f/weights/f2f_warp_tiny_synthetic-6e61a82d.pth'
S2S, F2F = 'ego-motion + correction (trained here)', 'F2F-warp (shipped weights)'
MOTION = 'motion forecaster (shipped weights)'
# Drawn beside the truth.
DRAWN = ('copy-last', S2S, F2F)
DRAWN_FIRST = ('copy-last', 'flow', F2F)
HORIZONS = (1, 3)
LOOK_SEQUENCES = 3
FIRST_METRICS = ('AP50', 'AP', 'mIoU', 'IoU-MO')
# Steps of training before its time is told; the first ones start the processes that load the data.
TIMED_STEPS = (2, 7)


class System(NamedTuple):
    """What is compared in one kind of forecast: the learned methods, the baselines, the horizons."""

    learned: tuple[str, ...]
    baselines: list[str]
    horizons: tuple[int, ...]


FIRST_LOOK = {
    'label maps': System((), ['copy-last', 'flow'], HORIZONS[-1:]),
    'instances': System((F2F,), ['copy-last', 'flow-warp'], HORIZONS[-1:]),
}
SYSTEMS = {
    'label maps': System((S2S, MOTION), ['copy-last', 'flow', 'ego-motion', 'oracle'], HORIZONS),
    'instances': System((F2F,), ['copy-last', 'flow-warp', 'ego-motion', 'oracle'], HORIZONS[-1:]),
}
EXAMPLES = """examples:
  %(prog)s
  # a quick look; its scores say little
  %(prog)s --train 8 --val 4 --iters 20 --work-dir work_dirs/look
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--work-dir', type=Path, default=ROOT / 'work_dirs/demo')
    parser.add_argument('--train', type=int, default=32, help='sequences to train on')
    parser.add_argument('--val', type=int, default=20, help='sequences to score on')
    parser.add_argument('--iters', type=int, default=60, help='training iterations')
    parser.add_argument('--pictures', type=int, default=2, help='animated clips')
    return parser.parse_args()


def main():
    args = parse_args()
    start = time.monotonic()
    MMLogger.get_instance('demo', log_level='ERROR')  # metrics would print tables of every class
    first_look(args, min(LOOK_SEQUENCES, args.val), start)
    say(f'[2/5] drawing {args.train + args.val} street sequences of 30 frames, 128x256')
    data = args.work_dir / 'synthetic_street'
    write_dataset(data, dict(train=args.train, val=args.val), height=128, width=256, workers=2)
    s2s, f2f = s2s_config(args, data), load_config(str(F2F_CONFIG), on_data(data))
    say(
        f'[3/5] training a correction of ego-motion, {args.iters} iterations (log: {s2s.work_dir}), '
        f'{clock(start)}'
    )
    checkpoint = train(s2s)
    say(f'[4/5] scoring label maps, then instances, beside the baselines, {clock(start)}')
    clips, views, rows = {}, [], []
    for kind, cfg, trained in (('label maps', s2s, [Entry(S2S, s2s, checkpoint)]), ('instances', f2f, [])):
        drawn = ClipCollector(args.pictures, max(HORIZONS), args.val)
        learned = [*trained, *shipped(kind, data)]
        found = score(SYSTEMS[kind], cfg, learned, [keeper(clips, args.pictures), drawn])
        views.append(section(kind, cfg, found, drawn))
        rows += [dict(row, forecast=kind) for row in found]
    columns = ['forecast', *comparison_columns(rows)]
    save_comparison(rows, columns, args.work_dir)
    say(f'[5/5] drawing the forecasts, {clock(start)}')
    gifs = draw(clips, args.work_dir, 'forecast')
    make_page(args.work_dir / 'index.html', 'Half a second ahead on the synthetic street', views)
    say(f'\n{format_table(rows, columns)}\n')
    say(
        'In %, at the given time ahead. mIoU: mean intersection over union of the 19 classes, IoU-MO: of '
        'the moving objects;\nAP50, AP: average precision of instances, by the rules of Cityscapes. '
        'Forecasts of label maps start from the true\nones of the past, forecasts of instances from what '
        'a detector sees in the past frames.'
    )
    for path in gifs:
        say(f'picture: {path}')
    say(f'table:   {args.work_dir / "table.md"}')
    say(f'report:  {args.work_dir / "index.html"}')
    say(f'done in {clock(start)}')


def say(text: str) -> None:
    """Print at once, so that a log is as far as the run."""
    print(text, flush=True)


def first_look(args, count: int, start: float) -> None:
    """Forecasts of a few sequences by the shipped weights, and how long the rest will take here."""
    say(f'[1/5] a first look: forecasts of {count} street sequences, of instances by the shipped weights')
    data = args.work_dir / 'first_look'
    write_dataset(data, dict(val=count), height=128, width=256)
    drawn, clips, rows = time.monotonic(), {}, []
    for kind, path in (('label maps', S2S_CONFIG), ('instances', F2F_CONFIG)):
        cfg = load_config(str(path), on_data(data))
        learned = shipped(kind, data) if FIRST_LOOK[kind].learned else []
        found = score(FIRST_LOOK[kind], cfg, learned, [keeper(clips, 1, DRAWN_FIRST)])
        rows += [dict(row, forecast=kind) for row in found]
    scored = time.monotonic()
    (gif,) = draw(clips, args.work_dir, 'first_look')
    say(format_table(rows, ['forecast', *comparison_columns(rows, FIRST_METRICS)]))
    say(f'{count} clips say little about a method; the table at the end has {args.val}.\npicture: {gif}')
    # Two processes will draw; a clip is scored by all methods and horizons of the whole comparison.
    drawing = (drawn - start) / count * (args.train + args.val) / 2
    scoring = (scored - drawn) / count * args.val * num_runs(SYSTEMS) / num_runs(FIRST_LOOK)
    say(
        f'first look: {clock(start)}; on this machine, drawing the data will take about {minutes(drawing)}, '
        f'scoring about {minutes(scoring)}; training tells after its first steps'
    )


def num_runs(systems: dict[str, System]) -> int:
    """How often each clip is forecast."""
    return sum((len(each.baselines) + len(each.learned)) * len(each.horizons) for each in systems.values())


def shipped(kind: str, data: Path) -> list[Entry]:
    """The forecaster with weights of the repository."""
    if kind == 'instances':
        return [Entry(F2F, load_config(str(F2F_CONFIG), on_data(data)), str(F2F_WEIGHTS))]
    return [Entry(MOTION, load_config(str(MOTION_CONFIG), on_data(data)))]


def on_data(data: Path) -> dict:
    """Options that put the demo's data in place of a config's."""
    return {f'{split}_dataloader.dataset.data_root': str(data) for split in ('train', 'val', 'test')}


def s2s_config(args, data: Path) -> Config:
    """The tiny config on the demo's data and number of iterations."""
    warm_up = max(1, min(20, args.iters // 2))
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


class TrainingProgress(Hook):
    """Iterations and the loss, on one line, and once how long all of it will take."""

    def __init__(self, total: int):
        self.total = total
        self.bar = progress_bar(total=total, desc='training', unit='step')

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        first, last = TIMED_STEPS
        if runner.iter + 1 == first:
            self.first_at = time.monotonic()
        if runner.iter + 1 == last:
            step = (time.monotonic() - self.first_at) / (last - first)
            self.bar.write(f'training: {step:.1f} s a step, about {minutes(step * self.total)} in all')
        self.bar.set_postfix(loss=f'{outputs["loss"].item():.3f}', refresh=False)
        self.bar.update()

    def after_train(self, runner):
        self.bar.close()


def train(cfg: Config) -> str:
    """Train in this process; the path of the last checkpoint."""
    runner = Runner.from_cfg(cfg.copy())
    runner.register_hook(TrainingProgress(cfg.train_cfg.max_iters))
    runner.train()
    return str(Path(cfg.work_dir) / f'iter_{cfg.train_cfg.max_iters}.pth')


def score(system: System, cfg: Config, learned: list[Entry], keepers: list) -> list[dict]:
    """Rows of the table; each forecast is shown to all ``keepers``."""
    entries = with_baselines(cfg, learned, system.baselines)
    return compare(entries, system.horizons, on_sample=lambda *args: [keep(*args) for keep in keepers])


def section(kind, cfg, rows, collector) -> SectionView:
    """The report's section of one kind of forecast."""
    view = view_of(kind.capitalize(), rows, comparison_columns(rows), collector, CITYSCAPES_METAINFO)
    view.data = data_sentence(cfg, build_loader(cfg).dataset, SYSTEMS[kind].horizons)
    view.configs = [config_view('data, baselines and trained forecaster', cfg)]
    return view


def keeper(clips: dict, num_pictures: int, methods: Sequence[str] = DRAWN):
    """Adds the forecasts by ``methods`` that go into GIFs to ``clips``, by sequence."""

    def keep(name, steps, sample, clip):
        if steps != max(HORIZONS) or name not in methods:
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


def draw(clips: dict, folder: Path, name: str) -> list[Path]:
    """One GIF per clip: the past plays, then truth beside the forecasts, label maps above instances."""
    meta = CITYSCAPES_METAINFO
    paths = []
    for sequence, clip in clips.items():
        sample = clip['sample']
        sample.gt_instance_map = clip['instance_sample'].gt_instance_map
        # The names of both kinds stand in one picture, so they must differ.
        instances = {f'{method} ': forecast for method, forecast in clip['instances'].items()}
        frames = forecast_animation(
            sample,
            clip['clip'],
            {**clip['maps'], **instances},
            palette=meta['palette'],
            classes=meta['classes'],
            instance_classes=instance_classes(meta),
        )
        paths.append(folder / f'{name}_{sequence}.gif')
        write_gif(paths[-1], frames)
    return paths


def clock(start: float) -> str:
    """Minutes and seconds since ``start``."""
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    return f'{minutes} min {seconds:02d} s'


def minutes(seconds: float) -> str:
    """A rough duration: seconds below two minutes, else minutes."""
    return f'{seconds:.0f} s' if seconds < 120 else f'{seconds / 60:.0f} min'


if __name__ == '__main__':
    with cli_errors():
        main()
