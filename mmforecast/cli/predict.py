"""Forecast your own video: MP4, GIF, PNG and JSON of what comes next."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mmforecast.apis.inferencers.formats import FORMATS
from mmforecast.utils.text import plural

from .forecast_options import (
    add_drawing_options,
    add_model_options,
    add_moment_options,
    add_time_options,
    model_arguments,
)

__all__ = ['add_arguments', 'add_parser', 'main']

EXAMPLES = """examples:
  # the frames that come after the end of a video, with the shipped weights
  %(prog)s my.mp4 --out forecasts
  # with a baseline that needs no training: optical flow moves the last observed frame on
  %(prog)s my.mp4 --baseline flow --out forecasts
  # along the whole video: a forecast every 10 frames, each beside the true frame
  %(prog)s my.mp4 --every 10 --out forecasts
  # your own model on a folder of frames, three steps of 5 frames each
  %(prog)s frames/ CONFIG CHECKPOINT --fps 30 --stride 5 --horizon 3 --out forecasts
  # any detector or segmentor of the zoos of mmdet and mmseg, whose weights are downloaded, or one of your own
  %(prog)s my.mp4 --model rtmdet-ins_tiny_8xb32-300e_coco --out forecasts
  %(prog)s my.mp4 --model CONFIG CHECKPOINT --out forecasts
  # the first camera, for 300 frames or until Ctrl-C
  %(prog)s 0 --every 5 --max-frames 300 --out forecasts
  # the same as fast as this machine can, without falling behind
  %(prog)s 0 --realtime --max-frames 300 --out forecasts
"""


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Register the subcommand with ``argparse``'s subparsers."""
    parser = subparsers.add_parser(
        'predict',
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return parser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subcommand."""
    parser.add_argument(
        'video',
        help='video file, folder of frames, address (http, rtsp, ...), camera index (0), named pipe, or - for '
        'the standard input',
    )
    parser.add_argument('config', nargs='?', help='config of a forecaster (default: --system)')
    parser.add_argument('checkpoint', nargs='?', help="its weights; 'none' for the config of a baseline")
    model = parser.add_argument_group('model')
    add_model_options(model)
    model.add_argument(
        '--compile',
        action='store_true',
        help='run the networks through torch.compile, where it can: the first forecast takes minutes',
    )
    model.add_argument(
        '--bf16', action='store_true', help='run the networks in bfloat16: faster where the processor has it'
    )
    time = parser.add_argument_group('time')
    add_time_options(time)
    add_moment_options(time)
    _add_live_options(parser.add_argument_group('live streams'))
    files = parser.add_argument_group('files')
    files.add_argument('--out', default='forecasts', metavar='DIR', help='output folder (default: forecasts)')
    files.add_argument(
        '--formats', nargs='+', choices=FORMATS, default=FORMATS, help='files to write (default: all)'
    )
    add_drawing_options(files)


def _add_live_options(group) -> None:
    group.add_argument(
        '--realtime',
        action='store_true',
        help='leave frames out to keep up with the stream, and print the rate; a file is played at its own '
        'speed. Forecasts are made as often as possible, or at most every --every frames',
    )
    group.add_argument(
        '--timeout',
        type=float,
        default=10,
        metavar='SECONDS',
        help='wait no longer for a stream to open, or for its next frame (default: 10)',
    )
    group.add_argument(
        '--av-options',
        nargs='+',
        default=[],
        type=_key_value,
        metavar='KEY=VALUE',
        help='options of FFmpeg, e.g. video_size=640x480; format=NAME sets the input format',
    )


def _key_value(text: str) -> tuple[str, str]:
    key, equals, value = text.partition('=')
    if not (key and equals):
        raise argparse.ArgumentTypeError(f'{text!r} is not KEY=VALUE')
    return key, value


def main(args: argparse.Namespace) -> None:
    """Forecast, write the files, and print what was forecast.

    Raises:
        OSError: A file cannot be written.
        ValueError: The arguments, the video and the model do not fit together, or a live stream failed.
        KeyboardInterrupt: Ctrl-C on a video of known length.
    """
    arguments = model_arguments(args)
    try:
        _predict(args, arguments)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f'Interrupted. The files in {args.out} are complete; unfinished ones were removed.'
        ) from None


def _predict(args: argparse.Namespace, arguments: dict) -> None:
    from mmforecast.apis.inferencers.opening import open_frames
    from mmforecast.apis.inferencers.output_check import check_output
    from mmforecast.apis.inferencers.quiet import quiet_inferencer

    # Before a model is built: what can be wrong with the input and the output.
    if args.realtime:
        if args.at is not None or args.no_streaming:
            raise ValueError('--realtime goes forward only: leave out --at and --no-streaming')
        args.every = args.every or 1
    options = dict(args.av_options)
    source = open_frames(args.video, args.fps, args.max_frames, args.timeout, options, args.realtime)
    check_output(Path(args.out), source.name, args.formats)
    print(_described(args, source))
    inferencer = quiet_inferencer(**arguments, compile=args.compile, bf16=args.bf16)
    choice = inferencer.choice
    print(f'{choice.title}' + (f': {choice.note}' if choice.note else ''))
    if choice.frame_scale is not None and args.scale is None:
        size = 'x'.join(map(str, choice.frame_scale))
        print(f'frames are resized to fit {size}, as in the tests of the network; --scale changes that')
    if args.config is None and args.model is None and args.stride is None and source.fps:
        _print_stride(inferencer.plan.stride, source.fps, inferencer.dataset_meta['fps'])
    out = inferencer(
        source,
        batch_size=args.batch_size,
        every=args.every,
        at=args.at,
        streaming=False if args.no_streaming else None,
        out_dir=args.out,
        formats=args.formats,
        score_thr=args.score_thr,
        panel_height=args.height,
        keep_pixels=args.every is None,
    )
    _print_results(out, args, inferencer)
    if args.realtime:
        print(f'in real time: {source.rate}')
    if source.problem:
        raise ValueError(f'{source.problem}. Forecasts of the frames before that are written')


def _described(args: argparse.Namespace, source) -> str:
    """One line on the input."""
    rate = f'{source.fps:.4g} per second' if source.fps else 'at an unknown rate (--fps)'
    if source.num_frames is None:
        kind = 'in real time' if args.realtime else 'a live stream'
        return f'{source.path}: {kind}, {rate}; Ctrl-C ends it'
    return f'{args.video}: {plural(source.num_frames, "frame")}, {rate}'


def _print_stride(stride: int, fps: float, trained_fps: float | None) -> None:
    """Print the stride that comes closest to the time between frames in training, if it differs."""
    if trained_fps is None:
        return
    best = max(1, round(stride / trained_fps * fps))
    if best != stride:
        print(
            f'a step is {stride / fps:.2f} s here and was {stride / trained_fps:.2f} s in training: '
            f'--stride {best} comes closest'
        )


def _print_results(out: dict, args: argparse.Namespace, inferencer) -> None:
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


def _lines(plain: dict, inferencer, score_thr: float) -> Iterator[str]:
    """A line on each step."""
    for step, (frame, seconds) in enumerate(zip(plain['frames'], plain['seconds'])):
        found = []
        if 'sem_seg' in plain:
            found.append(_areas(plain['sem_seg'][step], inferencer.dataset_meta.get('classes')))
        if 'instances' in plain:
            sure = [one for one in plain['instances'][step] if one.get('score', 1) >= score_thr]
            counts = Counter(str(one.get('class', one['label'])) for one in sure)
            words = [f'{count} {name}' for name, count in counts.most_common()]
            found.append(', '.join(words) or f'no instance with a score of {score_thr:g} or more')
        if 'segments_info' in plain:
            things = sum(segment['isthing'] for segment in plain['segments_info'][step])
            stuff = len(plain['segments_info'][step]) - things
            found.append(f'merged into {things} segments of things and {stuff} of stuff')
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
