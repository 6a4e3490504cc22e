"""Times one training step, or one step of a stream, of a forecaster with random weights.

For ``benchmark_checkouts.py --measured``: the last line is a JSON object of the seconds, ``processor`` and
``clock``, without the start-up, and of some ``values`` that the step computed. Weights and frames are the same
in every checkout.
"""

import argparse
import json
import math
import runpy
import zlib
from pathlib import Path

import numpy as np
import torch
from mmengine.config import DictAction
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mmforecast.apis import StreamingForecaster, build_forecaster, load_config
from mmforecast.apis.evaluate import SCOPE
from mmforecast.structures import ForecastDataSample

EXAMPLES = """examples:
  # adversarial training of S2S, 64x64 scores by PSPNet
  python tools/analysis_tools/benchmark_step.py training configs/s2s/s2s_2scale_adv_cityscapes.py \\
      --encoder-of configs/s2s/s2s_2scale_cityscapes_online.py --shape 512 512
  # F2F, one more frame of a stream
  python tools/analysis_tools/benchmark_step.py streaming configs/f2f/f2f_mask-rcnn_r50-fpn_cityscapes.py \\
      --shape 512 1024 --cfg-options model.test_cfg.rollout_steps=1
"""
# By its path: mmforecast itself is that of the checkout that is measured, which may be older than this module.
timed = runpy.run_path(str(Path(__file__).resolve().parents[2] / 'mmforecast/utils/timing.py'))['timed']
VALUES = 500  # most of one tensor that are compared


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('what', choices=['training', 'streaming'])
    parser.add_argument('config', help='of a forecaster; no checkpoint is read')
    parser.add_argument('--encoder-of', metavar='CONFIG', help='another config, whose encoder is taken')
    parser.add_argument('--shape', type=int, nargs=2, required=True, metavar=('H', 'W'))
    parser.add_argument('--bf16', action='store_true', help='run the networks in bfloat16; streaming only')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args(argv)


def build(path: str, encoder_of: str | None, options: dict | None):
    """Config and forecaster, whose weights depend on their names and shapes alone."""
    cfg = load_config(path, options)
    if encoder_of is not None:
        cfg.model.encoder = load_config(encoder_of).model.encoder
    cfg.model.encoder.checkpoint = None
    model = build_forecaster(cfg)
    draw_weights(model)
    return cfg, model


@torch.no_grad()
def draw_weights(model: nn.Module) -> None:
    """Gaussian weights of layers; scales of normalization and biases are left at 1 and 0."""
    for name, weight in model.named_parameters():
        if weight.dim() == 1:
            weight.fill_(name.endswith('weight'))
            continue
        draw = torch.Generator().manual_seed(zlib.crc32(name.encode()))
        weight.copy_(torch.randn(weight.shape, generator=draw) / math.sqrt(weight[0].numel()))


def smooth_video(length: int, shape: tuple[int, int]) -> np.ndarray:
    """(length, H, W, 3) uint8: blocks that move by two pixels a frame."""
    draw = np.random.default_rng(0)
    rows, columns = (math.ceil(side / 16) + 1 for side in (shape[0], shape[1] + 2 * length))
    wide = draw.integers(0, 256, (rows, columns, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    return np.stack([wide[: shape[0], 2 * time : 2 * time + shape[1]] for time in range(length)])


def training_step(cfg, model, shape: tuple[int, int]) -> tuple[tuple, dict[str, list[float]]]:
    """What a step takes on one clip; its losses, and the mean size of every trained weight after it."""
    model.train()
    with DefaultScope.overwrite_default_scope(SCOPE):
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper.to_dict())
    clip = smooth_video(model.num_past + model.train_steps, shape).transpose(0, 3, 1, 2)
    sample = ForecastDataSample(metainfo=dict(num_past=model.num_past, img_shape=shape, ori_shape=shape))
    data = dict(inputs=[torch.from_numpy(clip.copy())], data_samples=[sample])
    torch.manual_seed(0)
    spent, losses = timed(model.train_step, data, wrapper)
    values = {name: [float(value)] for name, value in losses.items()}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            values[name] = [float(weight.detach().abs().mean())]
    return spent, values


def streaming_step(model, shape: tuple[int, int]) -> tuple[tuple, dict[str, list[float]]]:
    """What it takes from a new frame to the forecast, earlier ones being encoded; values of the maps."""
    found: list[Tensor] = []
    model.predictor.register_forward_hook(lambda module, inputs, levels: found.extend(levels))
    stream = StreamingForecaster(model)
    *before, newest = smooth_video(model.num_past, shape)
    for frame in before:
        stream.update(frame)
    spent, _ = timed(stream.update, newest)
    flat = {f'level {number}': level.flatten() for number, level in enumerate(found)}
    return spent, {name: level[:: 1 + len(level) // VALUES].tolist() for name, level in flat.items()}


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    cfg, model = build(args.config, args.encoder_of, args.cfg_options)
    if args.bf16:
        from mmforecast.apis.inferencers.acceleration import run_in_bfloat16

        run_in_bfloat16(model)
    if args.what == 'training':
        spent, values = training_step(cfg, model, tuple(args.shape))
    else:
        spent, values = streaming_step(model, tuple(args.shape))
    print(json.dumps({**spent._asdict(), 'values': values}))


if __name__ == '__main__':
    main()
