"""What the framework costs: ratios measured in one process, comparable on any machine."""

import argparse
import copy
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import DictAction
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmforecast.apis.evaluate import load_config
from mmforecast.cli.common import cli_errors
from mmforecast.datasets.representation_store import Level, StoreManifest, StoreWriter
from mmforecast.engine import IterBasedTrainLoop
from mmforecast.registry import DATASETS, LOOPS
from mmforecast.utils.progress import progress_bar

EXAMPLES = """examples:
  # training step through the runner against the same step in a bare PyTorch loop
  python tools/analysis_tools/benchmark.py train configs/s2s/s2s_2scale_tiny_synthetic.py
  # the same of video prediction's paper-size network, and how fast its clips are decoded and cut
  python tools/analysis_tools/benchmark.py train configs/video_prediction/multiscale_gdl-l1_tiny_clips.py
  python tools/analysis_tools/benchmark.py data configs/video_prediction/multiscale_gdl-l1_tiny_clips.py
  # clips per second from cached scores, 19x128x256 fp16, 5 frames
  python tools/analysis_tools/benchmark.py loading configs/s2s/s2s_2scale_cityscapes.py
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('what', choices=['train', 'data', 'loading'])
    parser.add_argument('config')
    parser.add_argument('--blocks', type=int, default=10, help='alternating blocks of each kind')
    parser.add_argument('--steps', type=int, default=10, help='training steps per block')
    parser.add_argument('--workers', type=int, default=0, help='processes that load clips')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


class BareLoop:
    """A multi-scale predictor, L1 and GDL, in plain PyTorch on the weights of a forecaster."""

    def __init__(self, model, optim_wrapper):
        self.num_past = model.num_past
        self.encoder = model.encoder
        self.scales = copy.deepcopy(model.predictor.scales)
        self.act = torch.tanh if model.predictor.out_act == 'tanh' else torch.nn.Identity()
        self.on_last = model.predictor.base == 'last'
        settings = optim_wrapper.optimizer.param_groups[0]
        kind = type(optim_wrapper.optimizer)
        keep = {k: settings[k] for k in ('lr', 'weight_decay', 'momentum') if k in settings}
        self.optimizer = kind(self.scales.parameters(), **keep)
        self.clip = optim_wrapper.clip_grad_kwargs

    def step(self, batch):
        """One optimization step on a batch as the data loader gives it."""
        inputs = torch.stack(batch['inputs']).float()
        maps = self.encoder.encode(inputs, batch['data_samples'])[0]
        past = maps[:, : self.num_past].flatten(1, 2)
        target = maps[:, self.num_past]
        last = maps[:, self.num_past - 1]
        loss, delta, guess = 0.0, None, None
        for k, scale in enumerate(self.scales):
            factor = 2 ** (len(self.scales) - 1 - k)
            given, truth, base = past, target, last
            if factor > 1:
                given, truth, base = (F.avg_pool2d(m, factor) for m in (past, target, last))
            if delta is None:
                delta = scale(given)
            else:
                coarse = F.interpolate(guess, scale_factor=2)
                lower = F.interpolate(delta, scale_factor=2) if self.on_last else coarse
                delta = lower + scale(torch.cat((given, coarse), 1))
            guess = self.act(base + delta if self.on_last else delta)
            loss = loss + F.l1_loss(guess, truth)
            for dim in (-2, -1):
                loss = loss + F.l1_loss(guess.diff(dim=dim).abs(), truth.diff(dim=dim).abs())
        self.optimizer.zero_grad()
        loss.backward()
        if self.clip:
            torch.nn.utils.clip_grad_norm_(self.scales.parameters(), self.clip['max_norm'])
        self.optimizer.step()
        return loss.item()


@LOOPS.register_module(force=True)  # tests run this file twice in one process
class AlternatingLoop(IterBasedTrainLoop):
    """Trains by turns through the runner and in the bare loop, and times both."""

    def __init__(self, *args, blocks: int, steps: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.blocks, self.steps = blocks, steps

    def _run(self):
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        batches = [next(self.dataloader_iterator) for _ in range(self.steps)]
        bare = BareLoop(self.runner.model, self.runner.optim_wrapper)
        times = dict(runner=[], bare=[])
        for block in progress_bar(range(self.blocks + 1), desc='blocks'):
            kinds = ('runner', 'bare') if block % 2 else ('bare', 'runner')
            for kind in kinds:
                step = bare.step if kind == 'bare' else self.run_iter
                start = time.perf_counter()
                for batch in batches:
                    step(copy.copy(batch))
                if block:  # the first block warms up
                    times[kind].append((time.perf_counter() - start) / self.steps)
        self.runner.benchmark_times = times
        return self.runner.model


def benchmark_train(cfg, blocks, steps):
    """Median of the ratios runner / bare, block by block."""
    if (
        cfg.model.predictor.type != 'MultiScalePredictor'
        or cfg.model.get('variant', 'S2S') != 'S2S'
        or cfg.model.get('discriminator')
    ):
        raise ValueError(
            'the bare loop knows the multi-scale network of S2S and of video prediction only: choose a '
            "config with a MultiScalePredictor, variant='S2S' and no discriminator"
        )
    names = set(cfg.model.predictor.losses)
    if names != {'l1', 'gdl'}:
        raise ValueError(f'the bare loop knows the losses l1 and gdl, the config has {sorted(names)}')
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        cfg.train_cfg = dict(type='AlternatingLoop', max_iters=10**6, blocks=blocks, steps=steps)
        cfg.default_hooks.checkpoint.interval = 10**6
        cfg.log_level = 'WARNING'
        for key in (
            'val_dataloader',
            'val_cfg',
            'val_evaluator',
            'test_dataloader',
            'test_cfg',
            'test_evaluator',
            'load_from',
        ):
            cfg.pop(key, None)
        runner = Runner.from_cfg(cfg)
        runner.train()
    times = runner.benchmark_times
    ratios = [a / b for a, b in zip(times['runner'], times['bare'])]
    print(
        f'step through the runner {statistics.median(times["runner"]) * 1e3:.1f} ms, bare '
        f'{statistics.median(times["bare"]) * 1e3:.1f} ms (this machine, medians of {blocks} blocks '
        f'of {steps} steps)'
    )
    print(
        f'runner / bare: median {statistics.median(ratios):.3f}, min {min(ratios):.3f}, max {max(ratios):.3f}'
    )
    return statistics.median(ratios)


def benchmark_data(cfg, num_batches=200):
    """Batches per second of the config's own training loader, after its first 20."""
    init_default_scope(cfg.default_scope)
    loader = iter(Runner.build_dataloader(cfg.train_dataloader, seed=0))
    for _ in range(20):
        next(loader)
    start = time.perf_counter()
    for _ in progress_bar(range(num_batches), desc='batches'):
        next(loader)
    rate = num_batches / (time.perf_counter() - start)
    settings = cfg.train_dataloader
    print(f'{rate:.1f} batches of {settings.batch_size} a second with {settings.num_workers} workers')
    return rate


def benchmark_loading(cfg, workers, num_clips=600):
    """Clips per second of scores of the config's clips, whole frames, through the data pipeline."""
    dataset = cfg.train_dataloader.dataset
    shape = (cfg.num_classes, 128, 256)
    with tempfile.TemporaryDirectory() as folder:
        described = dict(
            type='CityscapesSequenceDataset',
            data_root=folder,
            split='train',
            anchor=None,
            num_past=dataset.num_past,
            num_future=dataset.num_future,
            stride=dataset.stride,
        )
        write_empty_frames(Path(folder))
        write_random_scores(f'{folder}/scores', DATASETS.build(described).sequences, shape)
        data = DATASETS.build(
            dict(
                described,
                pipeline=[
                    dict(type='LoadClipScores', store=f'{folder}/scores'),
                    dict(type='PackForecastInputs'),
                ],
            )
        )
        loader = torch.utils.data.DataLoader(
            data,
            batch_size=4,
            num_workers=workers,
            shuffle=True,
            collate_fn=list,
            persistent_workers=workers > 0,
        )
        rates = [clips_per_second(loader, num_clips) for _ in range(4)][1:]
    clip_mb = (dataset.num_past + dataset.num_future) * np.prod(shape) * 2 / 1e6
    print(
        f'{statistics.median(rates):.0f} clips/s with {workers} workers '
        f'({dataset.num_past + dataset.num_future} frames of {shape} fp16, {clip_mb:.1f} MB a clip)'
    )
    return statistics.median(rates)


def write_empty_frames(folder, num_sequences=8, num_frames=30):
    """Sequences named as Cityscapes names them; the files are empty, since nothing reads them."""
    images = folder / 'leftImg8bit_sequence/train/town'
    images.mkdir(parents=True)
    for sequence in range(num_sequences):
        for frame in range(num_frames):
            (images / f'town_{sequence:06d}_{frame:06d}_leftImg8bit.png').touch()


def write_random_scores(root, sequences, shape):
    """A store of Gaussian scores for whole sequences."""
    levels = [Level('scores', shape)]
    writer = StoreWriter(root, StoreManifest('random', '', levels, 'random'))
    rng = np.random.default_rng(0)
    for sequence in sequences:
        scores = rng.standard_normal((len(sequence), *shape), dtype=np.float32)
        writer.write_sequence('scores', sequence.id, sequence.frame_names, scores)


def clips_per_second(loader, num_clips):
    """Over at least ``num_clips`` clips, epoch after epoch."""
    done, start = 0, time.perf_counter()
    while done < num_clips:
        done += sum(len(batch) for batch in loader)
    return done / (time.perf_counter() - start)


def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    if args.what == 'train':
        benchmark_train(cfg, args.blocks, args.steps)
    elif args.what == 'data':
        benchmark_data(cfg)
    else:
        benchmark_loading(cfg, args.workers)


if __name__ == '__main__':
    with cli_errors():
        main()
