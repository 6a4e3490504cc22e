"""What F2F costs at full size: memory of a training step, and what streaming saves. Random weights."""

import argparse
import resource
import statistics
import time

import numpy as np
import torch
from mmengine.config import DictAction
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from mmforecast.apis import StreamingForecaster, build_forecaster, load_config
from mmforecast.apis.evaluate import SCOPE
from mmforecast.cli.common import cli_errors
from mmforecast.structures import ForecastDataSample

EXAMPLES = """examples:
  # peak memory of a training step of the paper's F2F, one clip of 1024x2048
  python tools/analysis_tools/benchmark_f2f.py memory configs/f2f/f2f_mask-rcnn_r50-fpn_cityscapes.py
  # the same through three steps, activations computed again in the backward pass
  python tools/analysis_tools/benchmark_f2f.py memory configs/f2f/f2f_mask-rcnn_r50-fpn_ar_cityscapes.py
  # forecast of a clip against forecast after one more frame
  python tools/analysis_tools/benchmark_f2f.py streaming configs/f2f/f2f_mask-rcnn_r50-fpn_cityscapes.py \\
      --shape 512 1024 --cfg-options model.test_cfg.rollout_steps=1
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('what', choices=['memory', 'streaming'])
    parser.add_argument('config', help="any F2F config; the detector's checkpoint isn't read")
    parser.add_argument('--shape', type=int, nargs=2, default=(1024, 2048), metavar=('H', 'W'))
    parser.add_argument('--steps', type=int, default=1, help='training steps; memory only')
    parser.add_argument('--repeats', type=int, default=3, help='measurements; streaming only')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def build(cfg):
    """The forecaster of a config with random weights, on a GPU if there is one."""
    if 'encoder' not in cfg.model:
        raise ValueError(f'the model of the config is a {cfg.model.type}, not a forecaster')
    cfg.model.encoder.checkpoint = None
    if 'coarsest_from' in cfg.model.predictor:
        cfg.model.predictor.coarsest_from = None
    return build_forecaster(cfg)


def random_video(length, shape):
    """(length, H, W, 3) uint8."""
    return np.random.default_rng(0).integers(0, 256, (length, *shape, 3), dtype=np.uint8)


def as_clip(frames):
    """(T, 3, H, W) uint8 of (T, H, W, 3)."""
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))


def peak_gb():
    """Of this process so far; on a GPU, of PyTorch's tensors there."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9  # kilobytes on Linux


def benchmark_memory(cfg, shape, steps):
    """Peak GB of this process over training steps on one clip, and before the first."""
    model = build(cfg).train()
    with DefaultScope.overwrite_default_scope(SCOPE):
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper.to_dict())
    clip = as_clip(random_video(model.num_past + model.train_steps, shape))
    before = peak_gb()
    start = time.perf_counter()
    for _ in range(steps):
        sample = ForecastDataSample(metainfo=dict(num_past=model.num_past, img_shape=shape))
        losses = model.train_step(dict(inputs=[clip], data_samples=[sample]), wrapper)
    seconds = (time.perf_counter() - start) / steps
    kind = 'GPU tensors' if torch.cuda.is_available() else 'resident memory of the process'
    print(
        f'{shape[0]}x{shape[1]}, 1 clip, roll-out of {model.train_steps}, '
        f'{type(wrapper.optimizer).__name__}, {len(losses)} losses, {seconds:.1f} s a step'
    )
    print(f'peak {peak_gb():.2f} GB ({kind}), {before:.2f} GB before the first step')
    return peak_gb()


def seconds_of(call, *args):
    """Of one call, finished on a GPU too."""
    start = time.perf_counter()
    call(*args)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def benchmark_streaming(cfg, shape, repeats):
    """Median ratio of the time of a clip's forecast to that of one after one more frame.

    Both are measured by turns, with encoding, roll-out and decoding.
    """
    model = build(cfg)
    frames = random_video(model.num_past + 1, shape)
    clip = as_clip(frames[: model.num_past])[None].float().to(next(model.parameters()).device)
    stream = StreamingForecaster(model)
    for frame in frames[: model.num_past]:
        stream.update(frame)  # the last of them warms up

    def batch():
        model.predict(clip, [ForecastDataSample(metainfo=dict(img_shape=shape))])

    times = dict(batch=[], stream=[])
    for turn in range(repeats):
        calls = [('batch', batch, ()), ('stream', stream.update, (frames[-1],))]
        for name, call, args in calls[:: 1 if turn % 2 else -1]:
            times[name].append(seconds_of(call, *args))
    ratios = [a / b for a, b in zip(times['batch'], times['stream'])]
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(
        f'{shape[0]}x{shape[1]}, {model.num_past} past frames, {model.test_steps} steps: clip '
        f'{medians["batch"]:.2f} s, one more frame {medians["stream"]:.2f} s (medians of {repeats})'
    )
    print(
        f'clip / one more frame: median {statistics.median(ratios):.2f}, '
        f'min {min(ratios):.2f}, max {max(ratios):.2f}'
    )
    return statistics.median(ratios)


def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    shape = tuple(args.shape)
    if args.what == 'memory':
        benchmark_memory(cfg, shape, args.steps)
    else:
        benchmark_streaming(cfg, shape, args.repeats)


if __name__ == '__main__':
    with cli_errors():
        main()
