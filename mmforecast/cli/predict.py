"""Forecast a video of your own: MP4, GIF, PNG and JSON of what comes next."""

import argparse
import contextlib
import io
import os
from collections import Counter
from collections.abc import Iterator

from mmengine.logging import MMLogger

from mmforecast.apis.inferencers import FORMATS, ForecastInferencer, open_frames
from mmforecast.apis.shipped import DEFAULT_SYSTEM, SYSTEMS
from mmforecast.cli.common import add_cfg_options
from mmforecast.fileio.checkpoint import ALLOW_UNSAFE_ENV

__all__ = ['add_arguments', 'add_parser', 'main']

EXAMPLES = """examples:
  # the frames that come after the end of a video, by the weights that are shipped for real video
  %(prog)s my.mp4 --out forecasts
  # by a baseline without training: what is seen last is moved on by optical flow
  %(prog)s my.mp4 --baseline flow --out forecasts
  # along the whole video: every 10 frames, each forecast beside what then came
  %(prog)s my.mp4 --every 10 --out forecasts
  # a model of your own on a folder of frames, three steps of 5 frames each
  %(prog)s frames/ CONFIG CHECKPOINT --fps 30 --stride 5 --horizon 3 --out forecasts
"""


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Register the subcommand with ``argparse``'s subparsers."""
    parser = subparsers.add_parser(
        'predict',
        help='forecast a video of your own',
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return parser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subcommand."""
    parser.add_argument('video', help='video file, or folder of frames')
    parser.add_argument('config', nargs='?', help='config of a forecaster (default: --system)')
    parser.add_argument('checkpoint', nargs='?', help="its weights; 'none' for a baseline's config")
    _add_model_options(parser.add_argument_group('model'))
    _add_time_options(parser.add_argument_group('time'))
    files = parser.add_argument_group('files')
    files.add_argument('--out', default='forecasts', metavar='DIR', help='(default: forecasts)')
    files.add_argument('--formats', nargs='+', choices=FORMATS, default=FORMATS, help='(default: all)')
    files.add_argument(
        '--score-thr', type=float, default=0.5, help='of instances that are drawn (default: 0.5)'
    )
    files.add_argument('--height', type=int, default=256, help='of a picture, in pixels (default: 256)')


def _add_model_options(group) -> None:
    group.add_argument(
        '--system',
        choices=list(SYSTEMS),
        help=f'what is shipped, in place of a config (default: {DEFAULT_SYSTEM})',
    )
    group.add_argument(
        '--baseline',
        metavar='NAME',
        help="in the predictor's place, without weights: copy-last, ...",
    )
    group.add_argument('--device', help='cpu, cuda:0, ... (default: a GPU if there is one)')
    group.add_argument(
        '--scale',
        type=int,
        nargs=2,
        metavar=('WIDTH', 'HEIGHT'),
        help='resize frames to this for the network',
    )
    group.add_argument(
        '--batch-size', type=int, default=1, metavar='N', help='clips at once, with --no-streaming'
    )
    group.add_argument(
        '--allow-unsafe-checkpoint',
        action='store_true',
        help='read a checkpoint that could run code; only of an author you trust',
    )
    add_cfg_options(group)


def _add_time_options(group) -> None:
    group.add_argument('--horizon', type=int, metavar='N', help="steps to forecast (default: the config's)")
    group.add_argument(
        '--stride',
        type=int,
        metavar='N',
        help="frames of the video per step (default: the config's)",
    )
    group.add_argument('--fps', type=float, help="frames per second (default: the video's)")
    moments = group.add_mutually_exclusive_group()
    moments.add_argument(
        '--at', type=int, metavar='FRAME', help='forecast from this frame (default: the last one)'
    )
    moments.add_argument(
        '--every', type=int, metavar='N', help='forecast every N frames, beside what then came'
    )
    group.add_argument(
        '--no-streaming',
        action='store_true',
        help='with --every: encode the past frames of each clip anew',
    )


def main(args: argparse.Namespace) -> None:
    """Forecast, write the files, and say what was forecast.

    Raises:
        ValueError: The arguments, the video and the model don't fit together.
        KeyboardInterrupt: Ctrl-C; files that aren't whole are not there.
    """
    if args.config is not None and args.system is not None:
        raise ValueError('give a config or --system, not both')
    if args.allow_unsafe_checkpoint:
        os.environ[ALLOW_UNSAFE_ENV] = '1'
    try:
        _predict(args)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f'Interrupted. What is in {args.out} is whole; what was not finished is not there.'
        ) from None


def _predict(args: argparse.Namespace) -> None:
    source = open_frames(args.video, args.fps)  # complained of before a model is built
    rate = f'{source.fps:.4g} per second' if source.fps else 'at an unknown rate (--fps)'
    print(f'{args.video}: {source.num_frames} frames, {rate}')
    MMLogger.get_current_instance().setLevel('ERROR')
    with contextlib.redirect_stdout(io.StringIO()):  # mmengine tells of every file that it reads
        inferencer = ForecastInferencer(
            args.config or args.system or DEFAULT_SYSTEM,
            args.checkpoint,
            args.device,
            args.baseline,
            args.horizon,
            args.stride,
            args.scale,
            options=args.cfg_options,
        )
    choice = inferencer.choice
    print(f'{choice.title}' + (f': {choice.note}' if choice.note else ''))
    if args.config is None and args.stride is None and source.fps:
        _tell_stride(inferencer.plan.stride, source.fps, inferencer.dataset_meta['fps'])
    out = inferencer(
        args.video,
        batch_size=args.batch_size,
        every=args.every,
        at=args.at,
        fps=args.fps,
        streaming=False if args.no_streaming else None,
        out_dir=args.out,
        formats=args.formats,
        score_thr=args.score_thr,
        panel_height=args.height,
        keep_pixels=args.every is None,
    )
    _tell(out, args, inferencer)


def _tell_stride(stride: int, fps: float, trained_fps: float | None) -> None:
    """Say how far apart frames were in training, where that is known and another time here."""
    if trained_fps is None:
        return
    best = max(1, round(stride / trained_fps * fps))
    if best != stride:
        print(
            f'a step is {stride / fps:.2f} s here and was {stride / trained_fps:.2f} s in training: '
            f'--stride {best} comes closest'
        )


def _tell(out: dict, args: argparse.Namespace, inferencer: ForecastInferencer) -> None:
    """Print what was forecast, and the files."""
    predictions = out['predictions']
    if args.every is None:
        past = ', '.join(map(str, inferencer.plan.past(predictions[0]['last_frame'])))
        print(f'forecast from frames {past}:')
        for line in _lines(predictions[0], inferencer, args.score_thr):
            print(f'  {line}')
    else:
        first, last = predictions[0]['last_frame'], predictions[-1]['last_frame']
        print(f'{len(predictions)} forecasts, from frame {first} to {last}')
    print('files:')
    for path in out['files']:
        print(f'  {path}')


def _lines(plain: dict, inferencer: ForecastInferencer, score_thr: float) -> Iterator[str]:
    """What is forecast at each step, in words."""
    for step, (frame, seconds) in enumerate(zip(plain['frames'], plain['seconds'])):
        found = []
        if 'sem_seg' in plain:
            found.append(_areas(plain['sem_seg'][step], inferencer.dataset_meta.get('classes')))
        if 'instances' in plain:
            sure = [one for one in plain['instances'][step] if one.get('score', 1) >= score_thr]
            counts = Counter(str(one.get('class', one['label'])) for one in sure)
            words = [f'{count} {name}' for name, count in counts.most_common()]
            found.append(', '.join(words) or f'no instance with a score of {score_thr:g} or more')
        when = f' (+{seconds:.2f} s)' if seconds is not None else ''
        yield f'frame {frame}{when}: ' + ('; '.join(found) or 'a picture')


def _areas(labels, classes) -> str:
    """The three largest classes of a label map."""
    counts = Counter(labels[labels != 255].tolist())
    words = [
        f'{classes[label] if classes else label} {100 * count / labels.size:.0f} %'
        for label, count in counts.most_common(3)
    ]
    return ', '.join(words) or 'no class'
