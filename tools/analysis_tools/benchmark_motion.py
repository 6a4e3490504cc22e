"""What forecasts of motion cost against one optical flow: DIS alone, EgoMotion and MotionForecaster by turns.

A predictor estimates the motion of three frames and gives the fields of all steps; warping maps along them is
not measured. The frames are drawn: a textured plane that the camera approaches while it turns.
"""

import argparse
import statistics
import time

import cv2
import numpy as np
import torch

from mmforecast.cli.common import cli_errors
from mmforecast.models import EgoMotion, MotionForecaster
from mmforecast.utils.checks import check_positive


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--shape', type=int, nargs=2, default=(512, 1024), metavar=('H', 'W'))
    parser.add_argument('--steps', type=int, default=3, help='future steps')
    parser.add_argument('--repeats', type=int, default=20)
    parser.add_argument('--threads', type=int, default=2, help='of OpenCV and of PyTorch')
    return parser.parse_args()


def approaching_plane(count, shape):
    """(1, count, 3, H, W) RGB in [0, 255]: each frame 2 % nearer, 4 pixels further to the left."""
    height, width = shape
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    frames = []
    for index in range(count):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, 1.02**index)
        matrix[0, 2] -= 4 * index
        frames.append(cv2.warpAffine(texture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT))
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)[None].float()


def forecast(predictor, frames, steps):
    """The backward fields of all steps."""
    observed = predictor.observe(frames)
    return [predictor.backward_field(observed, step) for step in range(1, steps + 1)]


def calls_of(frames, steps):
    """What is measured, by name."""
    gray = [cv2.cvtColor(f.permute(1, 2, 0).byte().numpy(), cv2.COLOR_RGB2GRAY) for f in frames[0, -2:]]
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    ego, learned = EgoMotion(), MotionForecaster().eval()
    return {
        'DIS': lambda: flow.calc(gray[1], gray[0], None),
        'EgoMotion': lambda: forecast(ego, frames, steps),
        'MotionForecaster': lambda: forecast(learned, frames, steps),
    }


@torch.no_grad()
def measure(calls, repeats):
    """Seconds of each call by name, alternating; a first round warms up."""
    times = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in list(calls.items())[:: 1 if turn % 2 else -1]:
            start = time.perf_counter()
            call()
            if turn:
                times[name].append(time.perf_counter() - start)
    return times


def main():
    args = parse_args()
    check_positive('benchmark_motion', steps=args.steps, repeats=args.repeats, threads=args.threads)
    cv2.setNumThreads(args.threads)
    torch.set_num_threads(args.threads)
    times = measure(calls_of(approaching_plane(3, args.shape), args.steps), args.repeats)
    print(
        f'{args.shape[0]}x{args.shape[1]}, {args.steps} steps, {args.threads} threads, {args.repeats} repeats'
    )
    for name, seconds in times.items():
        ratios = [own / flow for own, flow in zip(seconds, times['DIS'])]
        print(
            f'{name}: median {1000 * statistics.median(seconds):.0f} ms, least {1000 * min(seconds):.0f} ms; '
            f'of DIS: median {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}'
        )


if __name__ == '__main__':
    with cli_errors():
        main()
