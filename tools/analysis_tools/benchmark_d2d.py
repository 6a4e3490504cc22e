"""What D2D's decoding costs as maps grow, and how long any forecasters take for a clip, side by side."""

import argparse
import statistics
import time
from collections import defaultdict

import cv2
import numpy as np
import torch
from mmengine.config import DictAction

from mmforecast.apis import build_forecaster, load_config
from mmforecast.apis.compare import baselines_of
from mmforecast.apis.evaluate import build_loader
from mmforecast.cli.common import cli_errors
from mmforecast.evaluation.table import format_table
from mmforecast.models.decoders import DistanceMapDecoder
from mmforecast.models.objects.distance_maps import distance_maps
from mmforecast.models.objects.object_map import keep_objects, pack_objects
from mmforecast.models.predictors import ForecastContext
from mmforecast.structures import ForecastDataSample

EXAMPLES = """examples:
  # decoding of one frame with 30 objects, at three sizes of the maps
  python tools/analysis_tools/benchmark_d2d.py decode
  # encoding, roll-out and decoding of a clip by several forecasters; CONFIG:NAME is a baseline of a config
  python tools/analysis_tools/benchmark_d2d.py inference configs/d2d/d2d_tiny_synthetic.py \\
      configs/d2d/d2d_warp_tiny_synthetic.py configs/d2d/d2d_warp_tiny_synthetic.py:flow-shift \\
      configs/f2f/f2f_warp_tiny_synthetic.py
"""
PARTS = ('encode', 'rollout', 'decode')


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_subparsers(dest='what', required=True)
    decode = what.add_parser('decode')
    decode.add_argument('--objects', type=int, default=30)
    decode.add_argument('--heights', type=int, nargs='+', default=[128, 256, 512])
    inference = what.add_parser('inference')
    inference.add_argument('configs', nargs='+', metavar='CONFIG[:BASELINE]')
    inference.add_argument('--clips', type=int, default=5, help='test clips of the first config')
    inference.add_argument('--cfg-options', nargs='+', action=DictAction)
    for each in (decode, inference):
        each.add_argument('--repeats', type=int, default=5)
        each.add_argument('--threads', type=int, help='of PyTorch; its own choice if not given')
    return parser.parse_args()


def random_scene(height, num_objects, num_frames=4, seed=0):
    """Object maps of frames (height, 2 * height) of drifting ellipses of three classes, some touching.

    The last one is the future's.
    """
    rng = np.random.default_rng(seed)
    width, unit = 2 * height, height / 128
    centers = rng.uniform((0, 0.3 * height), (width, height), (num_objects, 2))
    axes = unit * rng.uniform(4, 14, (num_objects, 2))
    velocities = unit * rng.uniform(-3, 3, (num_objects, 2))
    labels = rng.integers(0, 3, num_objects)
    frames = []
    for step in range(num_frames + 1):
        index_map = np.zeros((height, width), dtype=np.int32)
        for number in range(num_objects):
            center = np.rint(centers[number] + step * velocities[number]).astype(int).tolist()
            size = np.rint(axes[number]).astype(int).tolist()
            cv2.ellipse(index_map, center, size, 0, 0, 360, number + 1, -1)
        frames.append(keep_objects(index_map, labels, np.ones(num_objects)))
    return frames


def benchmark_decode(heights, num_objects, repeats):
    """Rows of median milliseconds of decoding one frame, tracks included, by height of the maps."""
    rows, decoder = [], DistanceMapDecoder()
    for height in heights:
        *past, future = random_scene(height, num_objects)
        classes = np.append(0, 1 + future.labels)[future.index_map]
        maps = distance_maps(classes, future.index_map, 9) - 1
        maps += np.random.default_rng(0).normal(0, 0.02, maps.shape).astype(np.float32)
        maps = torch.from_numpy(maps)[None, None]
        objects = torch.stack([pack_objects(frame) for frame in past])[None]
        times = []
        for _ in range(repeats + 1):  # the first warms up
            sample = ForecastDataSample(metainfo=dict(img_shape=maps.shape[-2:]))
            context = ForecastContext(None, [sample], objects=objects)
            start = time.perf_counter()
            decoder.decode([maps], [sample], context=context)
            times.append(1000 * (time.perf_counter() - start))
        size = f'{height}x{2 * height}'
        rows.append(
            dict(
                maps=size,
                objects=len(past[-1]),
                found=len(sample.pred_instances[0]),
                ms=statistics.median(times[1:]),
                slowest=max(times[1:]),
            )
        )
    return rows


def timed(model):
    """Milliseconds that go into each of the parts of ``model``, counted from now on."""
    spent = defaultdict(float)

    def wrap(name):
        inner = getattr(model, name)

        def outer(*args, **kwargs):
            start = time.perf_counter()
            result = inner(*args, **kwargs)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            spent[name] += 1000 * (time.perf_counter() - start)
            return result

        setattr(model, name, outer)

    for name in PARTS:
        wrap(name)
    return spent


def named_model(name, options):
    """The forecaster of CONFIG, or of one of its baselines, without reference; and the config."""
    path, _, baseline = name.partition(':')
    cfg = load_config(path, options)
    cfg.model.test_cfg.reference = False
    return build_forecaster(cfg, None, baselines_of(cfg)[baseline] if baseline else None), cfg


def benchmark_inference(names, num_clips, repeats, options):
    """Rows of median milliseconds per clip and part, all forecasters by turns on the same clips."""
    models, cfgs = zip(*(named_model(name, options) for name in names))
    loader = iter(build_loader(cfgs[0]))
    batches = [next(loader) for _ in range(num_clips)]
    spent = [timed(model) for model in models]
    totals = [defaultdict(list) for _ in models]
    for turn in range(repeats + 1):
        for model, parts, record in zip(models, spent, totals):
            parts.clear()
            for batch in batches:
                data = model.data_preprocessor(batch, False)
                past = data['inputs'][:, : model.num_past]
                model.predict(past, [sample.clone() for sample in data['data_samples']])
            if turn:  # the first warms up
                for part in PARTS:
                    record[part].append(parts[part] / num_clips)
    return [
        {
            'forecaster': name.rpartition('/')[2].replace('.py', ''),
            'parameters': sum(p.numel() for p in model.predictor.parameters()),
            **{f'{part} ms': statistics.median(record[part]) for part in PARTS},
            'all ms': sum(statistics.median(record[part]) for part in PARTS),
        }
        for name, model, record in zip(names, models, totals)
    ]


def main():
    args = parse_args()
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    if args.what == 'decode':
        rows = benchmark_decode(args.heights, args.objects, args.repeats)
    else:
        rows = benchmark_inference(args.configs, args.clips, args.repeats, args.cfg_options)
    print(f'medians of {args.repeats}, {torch.get_num_threads()} threads of PyTorch')
    print(format_table(rows))


if __name__ == '__main__':
    with cli_errors():
        main()
