"""Measures a GPU in one command of at most nine minutes, and writes its section of docs/benchmark.md.

Training steps of every system, plain, with automatic mixed precision, compiled, and in channels_last; F2F on a
stream of frames, plain and in bfloat16; and evaluation. Weights are random, clips are drawn, and what fails on
the device is named. Without a GPU everything runs on the CPU, and nothing is written unless ``--page`` is
given.
"""

import argparse
import copy
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from mmforecast.apis import StreamingForecaster, build_forecaster, load_config
from mmforecast.apis.complexity import without_weights
from mmforecast.apis.evaluate import SCOPE, build_loader, evaluate
from mmforecast.apis.inferencers.acceleration import compile_networks, run_in_bfloat16
from mmforecast.cli.common import cli_errors
from mmforecast.evaluation import format_table
from mmforecast.fileio.atomic import write_atomically
from mmforecast.models.forecasters import BaseForecaster
from mmforecast.registry import DATASETS
from mmforecast.street import write_dataset

ROOT = Path(__file__).resolve().parents[2]
# Systems by name, with a config that trains on the synthetic street.
SYSTEMS = {
    'S2S': 'configs/s2s/s2s_2scale_tiny_synthetic.py',
    'S2S, adversarial': 'configs/s2s/s2s_2scale_adv_tiny_synthetic.py',
    'F2F': 'configs/f2f/f2f_tiny_synthetic.py',
    'F2MF': 'configs/f2mf/f2mf_tiny_synthetic.py',
    'D2D': 'configs/d2d/d2d_tiny_synthetic.py',
    'ConvLSTM': 'configs/conv_lstm/conv-lstm_tiny_synthetic.py',
    'masked labels': 'configs/masked_labels/masked-labels_tiny_synthetic.py',
    'motion forecaster': 'configs/motion/motion-forecaster_varied_street.py',
}
MODES = ('plain', 'AMP', 'compile', 'channels_last')
STREAM = 'configs/f2f/f2f_mask-rcnn_r50-fpn_cityscapes.py'
EVALUATED = 'configs/s2s/s2s_2scale_tiny_synthetic.py'
BEGIN, END = '<!-- gpu_report.py: begin -->', '<!-- gpu_report.py: end -->'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--page', type=Path, help='page to write to (default: docs/benchmark.md with a GPU)')
    parser.add_argument('--systems', nargs='+', choices=list(SYSTEMS), default=list(SYSTEMS))
    parser.add_argument('--modes', nargs='+', choices=MODES, default=MODES)
    parser.add_argument(
        '--size', type=int, nargs=2, default=(512, 1024), metavar=('H', 'W'), help='of training'
    )
    parser.add_argument('--batch-size', type=int, default=4, help='clips of a training step (default: 4)')
    parser.add_argument('--steps', type=int, default=10, help='measured steps of each (default: 10)')
    parser.add_argument('--stream-config', default=STREAM, help='F2F config that is streamed')
    parser.add_argument('--stream-size', type=int, nargs=2, default=(1024, 2048), metavar=('H', 'W'))
    parser.add_argument('--frames', type=int, default=100, help='streamed frames (default: 100)')
    parser.add_argument('--minutes', type=float, default=9, help='what is not done by then is left out')
    return parser.parse_args()


class Clock:
    """Time that is left, and times on a device.

    Args:
        device: Name of the device.
        minutes: Of the whole run.
    """

    def __init__(self, device: str, minutes: float):
        self.device = torch.device(device)
        self.end = time.monotonic() + 60 * minutes

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() > self.end

    def finish(self) -> None:
        """Wait for the device."""
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)

    def seconds(self, call: Callable) -> float:
        """Of a call, finished on the device."""
        self.finish()
        start = time.perf_counter()
        call()
        self.finish()
        return time.perf_counter() - start

    def reset_peak(self) -> None:
        """Forget how much memory was in use."""
        if self.device.type == 'cuda':
            torch.cuda.reset_peak_memory_stats(self.device)

    def peak(self) -> str:
        """Most memory of tensors on a GPU since :meth:`reset_peak`, in GB; '' on a CPU."""
        if self.device.type != 'cuda':
            return ''
        return f'{torch.cuda.max_memory_allocated(self.device) / 1e9:.2f}'


def from_random_weights(cfg: Config) -> Config:
    """The config, changed in place: its model reads no file."""
    cfg.model = without_weights(cfg.model.to_dict())
    cfg.model.predictor.pop('coarsest_from', None)
    cfg.model.encoder.pop('standardize', None)  # by statistics that nobody has measured
    return cfg


def on_street(cfg: Config, street: Path) -> Config:
    """The config, changed in place: random weights, and the data of a street.

    Args:
        cfg: Of a system that trains on the synthetic street.
        street: Folder of a synthetic street.
    """
    from_random_weights(cfg)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.data_root = str(street)
        loader.num_workers = 0
        loader.persistent_workers = False
    return cfg


def training_step(cfg: Config, mode: str, batch_size: int, clock: Clock) -> Callable:
    """A function that does one training step, always on the same clips.

    Args:
        cfg: Of a system, see :func:`on_street`.
        mode: One of :data:`MODES`.
        batch_size: Clips.
        clock: Knows the device.
    """
    torch.manual_seed(0)
    model = build_forecaster(cfg, device=str(clock.device))
    model.train()
    if mode == 'channels_last':
        model.to(memory_format=torch.channels_last)
    if mode == 'compile':
        compile_networks(model)
    with DefaultScope.overwrite_default_scope(SCOPE):
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper.to_dict())
        dataset = DATASETS.build(cfg.train_dataloader.dataset.to_dict())
    batch = pseudo_collate([dataset[index % len(dataset)] for index in range(batch_size)])

    def step() -> None:
        autocast = torch.autocast(clock.device.type, torch.bfloat16, enabled=mode == 'AMP')
        with DefaultScope.overwrite_default_scope(SCOPE), autocast:
            model.train_step(copy.copy(batch), wrapper)

    return step


def measure_training(args: argparse.Namespace, street: Path, clock: Clock) -> Iterator[dict]:
    """A row per system: time of a step in each mode, and its memory. Failures are named."""
    for name in args.systems:
        row, memory = {'training step': name}, {}
        for mode in args.modes:
            if clock.is_over:
                row[mode] = 'no time'
                continue
            clock.reset_peak()
            try:
                cfg = on_street(load_config(str(ROOT / SYSTEMS[name])), street)
                step = training_step(cfg, mode, args.batch_size, clock)
                for _ in range(2):  # compiles, and lets libraries choose
                    step()
                row[mode] = f'{1e3 * statistics.median(clock.seconds(step) for _ in range(args.steps)):.1f} ms'
            except Exception as error:
                row[mode] = f'fails: {type(error).__name__}'
                print(f'{name}, {mode}: {type(error).__name__}: {error}')
            memory[mode] = clock.peak()
        row['GB, plain'] = memory.get('plain', '')
        yield row


def measure_stream(args: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    """A row per mode: frames per second of a forecast after every frame, percentiles of its time, memory."""
    for mode in ('plain', 'bfloat16'):
        if clock.is_over:
            return
        cfg = from_random_weights(load_config(args.stream_config, {'model.test_cfg.rollout_steps': 1}))
        clock.reset_peak()
        model = build_forecaster(cfg, device=str(clock.device))
        if mode == 'bfloat16':
            run_in_bfloat16(model)
        times = stream_times(model, args.stream_size, args.frames, clock)
        median, p90, p99 = (1e3 * np.percentile(times, share) for share in (50, 90, 99))
        yield {
            'F2F, stream': mode,
            'frames/s': f'{len(times) / sum(times):.2f}',
            'median': f'{median:.1f} ms',
            '90 %': f'{p90:.1f} ms',
            '99 %': f'{p99:.1f} ms',
            'GB': clock.peak(),
        }


def stream_times(model: BaseForecaster, size: tuple[int, int], count: int, clock: Clock) -> list[float]:
    """Seconds of each of the forecasts after the first, which warms up; fewer where no time is left."""
    stream, generator = StreamingForecaster(model), np.random.default_rng(0)
    frames = generator.integers(0, 256, (model.num_past + 1, *size, 3), dtype=np.uint8)
    for frame in frames[1:]:
        stream.update(frame)
    times = []
    for number in range(count):
        times.append(clock.seconds(partial(stream.update, frames[number % len(frames)])))
        if clock.is_over:
            break
    return times


def measure_evaluation(street: Path, clock: Clock) -> dict:
    """Clips per second of an evaluation, metrics included."""
    cfg = on_street(load_config(str(ROOT / EVALUATED)), street)
    model = build_forecaster(cfg, device=str(clock.device))
    loader = build_loader(cfg)
    seconds = clock.seconds(lambda: evaluate(model, loader, cfg.test_evaluator))
    return {'evaluation': 'S2S', 'clips/s': f'{len(loader.dataset) / seconds:.1f}'}


def section(args: argparse.Namespace, tables: list[str], clock: Clock, seconds: float) -> str:
    """The Markdown of the page's section, with its marks."""
    cuda = clock.device.type == 'cuda'
    device = torch.cuda.get_device_name(clock.device) if cuda else f'CPU ({platform.machine()})'
    height, width = args.size
    stream = 'x'.join(map(str, args.stream_size))
    lines = [
        BEGIN,
        '## On a GPU',
        f'{device}, torch {torch.__version__}, measured in {seconds / 60:.1f} minutes. Weights are random. '
        f'Training: batches of {args.batch_size} clips of the synthetic street of {height}x{width}, '
        f'medians of {args.steps} steps. F2F forecasts one step after every frame of {stream}.',
        '```\npython tools/analysis_tools/gpu_report.py\n```',
        *tables,
        END,
    ]
    return '\n\n'.join(lines)


def write_section(page: Path, text: str) -> None:
    """Put the section into a page, in place of an earlier one, or at its end.

    Args:
        page: Markdown file.
        text: The section, from :data:`BEGIN` to :data:`END`.
    """
    content = page.read_text(encoding='utf-8') if page.is_file() else ''
    before, begun, rest = content.partition(BEGIN)
    _, _, after = rest.partition(END)
    content = before + text + after if begun else f'{content.rstrip()}\n\n{text}\n'.lstrip()
    write_atomically(str(page), content.encode())


def main() -> None:
    args = parse_args()
    start, clock = time.monotonic(), Clock(args.device, args.minutes)
    with tempfile.TemporaryDirectory() as folder:
        street = Path(folder, 'street')
        write_dataset(str(street), dict(train=2, val=1), *args.size, num_frames=30)
        stream = list(measure_stream(args, clock))
        evaluation = [] if clock.is_over else [measure_evaluation(street, clock)]
        training = list(measure_training(args, street, clock))
    tables = [format_table(rows, style='markdown') for rows in (training, stream, evaluation) if rows]
    text = section(args, tables, clock, time.monotonic() - start)
    print(text)
    page = args.page or (ROOT / 'docs/benchmark.md' if clock.device.type == 'cuda' else None)
    if page is not None:
        write_section(page, text)


if __name__ == '__main__':
    with cli_errors():
        main()
