"""Options of what to forecast with and when, which several commands have."""

import argparse
import os
from fractions import Fraction

from mmforecast.apis.shipped import DEFAULT_SYSTEM, SYSTEMS

from .common import add_cfg_options

__all__ = [
    'add_drawing_options',
    'add_model_options',
    'add_moment_options',
    'add_time_options',
    'model_arguments',
]


def add_model_options(group) -> None:
    """Add the options that :func:`model_arguments` reads, but for ``--horizon`` and ``--stride``."""
    group.add_argument(
        '--system',
        choices=list(SYSTEMS),
        help=f'shipped system, in place of a config (default: {DEFAULT_SYSTEM})',
    )
    group.add_argument(
        '--model',
        nargs='+',
        metavar=('NAME_OR_CONFIG', 'CHECKPOINT'),
        help="detector or segmentor to forecast with: a name from mmdet's or mmseg's model zoo, whose weights "
        'are downloaded, or a config and its checkpoint',
    )
    group.add_argument(
        '--baseline',
        metavar='NAME',
        help='baseline to run in place of the predictor, without weights: copy-last, ...',
    )
    group.add_argument('--device', help='cpu, cuda:0, ... (default: a GPU if there is one)')
    group.add_argument(
        '--scale',
        type=int,
        nargs=2,
        metavar=('WIDTH', 'HEIGHT'),
        help='size that frames are resized to for the network',
    )
    group.add_argument(
        '--batch-size', type=int, default=1, metavar='N', help='clips per batch, with --no-streaming'
    )
    group.add_argument(
        '--allow-unsafe-checkpoint',
        action='store_true',
        help='read a checkpoint that could run code; only from an author you trust',
    )
    add_cfg_options(group)


def model_arguments(args: argparse.Namespace) -> dict:
    """The arguments of the inferencer that the options of :func:`add_model_options` and of the time axis name.

    Raises:
        ValueError: They name several models.
    """
    from mmforecast.fileio.checkpoint import ALLOW_UNSAFE_ENV

    config, checkpoint = getattr(args, 'config', None), getattr(args, 'checkpoint', None)
    given = (config, args.system, args.model)
    if len(given) - given.count(None) > 1:
        raise ValueError('give a config, --system or --model, only one of them')
    if args.model is not None:
        if len(args.model) > 2:
            raise ValueError(f'--model takes a name or a config, and a checkpoint, got {" ".join(args.model)}')
        config, checkpoint = (*args.model, None)[:2]
    if args.allow_unsafe_checkpoint:
        os.environ[ALLOW_UNSAFE_ENV] = '1'
    return dict(
        model=config or args.system or DEFAULT_SYSTEM,
        weights=checkpoint,
        device=args.device,
        predictor=args.baseline,
        horizon=args.horizon,
        stride=args.stride,
        scale=args.scale,
        options=args.cfg_options,
    )


def add_time_options(group) -> None:
    """Add the options of the time axis, and ``--no-streaming``."""
    group.add_argument('--horizon', type=int, metavar='N', help="steps to forecast (default: the config's)")
    group.add_argument(
        '--stride',
        type=int,
        metavar='N',
        help="frames of the video per step (default: the config's)",
    )
    group.add_argument(
        '--fps',
        type=_frame_rate,
        help="frames per second, e.g. 25 or 30000/1001 (default: the video's)",
    )
    group.add_argument('--max-frames', type=int, metavar='N', help='use the first N frames (default: all)')
    group.add_argument(
        '--no-streaming',
        action='store_true',
        help='with --every: encode the past frames of each clip anew',
    )


def add_moment_options(group) -> None:
    """Add the options of when to forecast."""
    moments = group.add_mutually_exclusive_group()
    moments.add_argument(
        '--at', type=int, metavar='FRAME', help='forecast from this frame (default: the last one)'
    )
    moments.add_argument(
        '--every', type=int, metavar='N', help='forecast every N frames, beside the true frame'
    )


def add_drawing_options(group) -> None:
    """Add the options of pictures."""
    group.add_argument(
        '--score-thr',
        type=float,
        default=0.5,
        help='lowest score of instances that are drawn (default: 0.5)',
    )
    group.add_argument('--height', type=int, default=256, help='height of a panel in pixels (default: 256)')


def _frame_rate(text: str) -> float:
    try:
        return float(Fraction(text)) if '/' in text else float(text)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number of frames per second') from error
