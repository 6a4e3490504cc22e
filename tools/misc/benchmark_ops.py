"""Time mmforecast's operators against mmcv's compiled ones, in turn in one process.

Needs an mmcv with its compiled extension. Times are of the processor, so that other programs on the machine
count little, and are the least of several repetitions.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch

import mmforecast  # noqa: F401
from mmforecast.ops.extension import stand_in, use_extension
from mmforecast.ops.finder import OPS_ENV, operators_in_use

ROOT = Path(__file__).resolve().parents[2]


def random_boxes(count: int, height: int, width: int) -> torch.Tensor:
    """Boxes of up to 100 pixels in an image."""
    corner = torch.rand(count, 2) * torch.tensor([width - 100.0, height - 100.0])
    return torch.cat([corner, corner + torch.rand(count, 2) * 100], 1)


def operator_cases() -> Iterator[tuple[str, Callable]]:
    """Single operators, as functions without arguments."""
    from mmcv.ops import deform_conv2d, nms, roi_align

    for count in (1000, 4000):
        boxes, scores = random_boxes(count, 500, 500), torch.rand(count)
        yield f'NMS of {count} boxes', partial(nms, boxes, scores, 0.5)
    regions = torch.cat([torch.zeros(512, 1), random_boxes(512, 512, 1024)], 1)
    for stride in (4, 16):
        features = torch.rand(1, 256, 512 // stride, 1024 // stride)
        name = f'RoIAlign of 512 boxes, 256 channels, stride {stride}'
        yield name, partial(roi_align, features, regions, (7, 7), 1 / stride, 0)
        features = features.clone().requires_grad_()
        yield f'{name}, and its gradient', partial(backward, roi_align, features, regions, (7, 7), 1 / stride)
    image, offset = torch.rand(1, 64, 32, 64, requires_grad=True), torch.randn(1, 18, 32, 64)
    weight = torch.rand(64, 64, 3, 3)
    yield 'deformable convolution 3x3, 64 channels', partial(deform_conv2d, image, offset, weight, 1, 1)
    name = 'deformable convolution 3x3, 64 channels, and its gradient'
    yield name, partial(backward, deform_conv2d, image, offset, weight, 1, 1)


def backward(function: Callable, first: torch.Tensor, *args) -> None:
    """One step forward and back."""
    torch.autograd.grad(function(first, *args).sum(), first)


def detector_cases() -> Iterator[tuple[str, Callable]]:
    """Inference by the Mask R-CNN of Cityscapes, and a training step of the tiny one."""
    from mmdet.registry import MODELS
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    init_default_scope('mmdet')
    for name, size in (('mask-rcnn_r50_cityscapes', (512, 1024)), ('mask-rcnn_tiny', (256, 512))):
        config = Config.fromfile(ROOT / f'configs/_base_/models/{name}.py').detector
        config.test_cfg.rcnn.score_thr = 0.0  # random weights: as many instances as there can be
        detector = MODELS.build(config)
        if name == 'mask-rcnn_tiny':
            yield 'training step of the tiny Mask R-CNN, 2 x 256x512', partial(training_step, detector, size)
        yield f'inference by {name}, {size[0]}x{size[1]}', partial(inference, detector, size)


def make_batch(detector: torch.nn.Module, size: tuple[int, int], training: bool, count: int) -> tuple:
    """Random images with ten objects each."""
    from mmdet.structures import DetDataSample
    from mmdet.structures.mask import BitmapMasks
    from mmengine.structures import InstanceData

    torch.manual_seed(0)
    inputs, samples = [], []
    for _ in range(count):
        inputs.append(torch.rand(3, *size) * 255)
        samples.append(DetDataSample(metainfo=dict(img_shape=size, ori_shape=size, scale_factor=(1, 1))))
        boxes, masks = random_boxes(10, *size), torch.zeros(10, *size, dtype=torch.uint8)
        for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist()):
            mask[y1:y2, x1:x2] = 1
        samples[-1].gt_instances = InstanceData(
            bboxes=boxes, labels=torch.arange(10) % 8, masks=BitmapMasks(masks.numpy(), *size)
        )
    batch = detector.data_preprocessor(dict(inputs=inputs, data_samples=samples), training)
    return batch['inputs'], batch['data_samples']


def training_step(detector: torch.nn.Module, size: tuple[int, int]) -> None:
    """Losses of two images and their gradients."""
    detector.train()
    batch = make_batch(detector, size, True, count=2)
    detector.parse_losses(detector.loss(*batch))[0].backward()
    detector.zero_grad()


@torch.no_grad()
def inference(detector: torch.nn.Module, size: tuple[int, int]) -> None:
    """Boxes and masks of one image."""
    detector.eval()
    detector.predict(*make_batch(detector, size, False, count=1))


def compare(function: Callable, extensions: dict, repetitions: int) -> dict[str, float]:
    """The least processor time by extension in seconds, each in turn, after one run of each."""
    times: dict[str, list[float]] = {name: [] for name in extensions}
    for _ in range(repetitions + 1):
        for name, extension in extensions.items():
            with use_extension(extension):
                start = time.process_time()
                function()
                times[name].append(time.process_time() - start)
    return {name: min(values[1:]) for name, values in times.items()}


def main() -> None:
    """Print one row of the table as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kernels', default='pytorch', choices=('pytorch', 'torchvision'))
    parser.add_argument('--repetitions', type=int, default=3)
    parser.add_argument('--threads', type=int, default=1)
    args = parser.parse_args()
    if operators_in_use() != 'compiled':
        raise SystemExit(f'mmcv has no compiled extension to compare with here, or {OPS_ENV} names another')
    import mmcv._ext

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    extensions = dict(compiled=mmcv._ext, ours=stand_in(args.kernels))
    print(f'| operators | compiled | {args.kernels} | ratio |\n|---|---|---|---|', flush=True)
    for cases in (operator_cases(), detector_cases()):
        for name, function in cases:
            times = compare(function, extensions, args.repetitions)
            compiled, ours = times['compiled'] * 1e3, times['ours'] * 1e3
            print(f'| {name} | {compiled:.1f} ms | {ours:.1f} ms | {ours / compiled:.2f} |', flush=True)


if __name__ == '__main__':
    main()
