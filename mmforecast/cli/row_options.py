"""Options that compare and report share: rows, horizons and scores."""

import argparse
from collections.abc import Iterable

import torch

from mmforecast.apis.compare import METRICS, Entry, RunAll
from mmforecast.apis.compare_by_workers import run_by_workers
from mmforecast.apis.evaluate import build_forecaster, load_config
from mmforecast.cli.common import add_cfg_options
from mmforecast.cli.errors import explain
from mmforecast.models.utils.load_network import weights_to_train
from mmforecast.utils.checks import check_positive


def add_row_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--model``, ``--baselines``, ``--horizons``, ``--metrics``, ``--workers`` and ``--cfg-options``."""
    parser.add_argument(
        '--model',
        nargs=3,
        action='append',
        default=[],
        metavar=('NAME', 'CONFIG', 'CHECKPOINT'),
        help='a row; repeat it, with the same NAME for seeds of one method; the checkpoint of a config that '
        "names its weights itself is 'none'",
    )
    parser.add_argument(
        '--baselines', nargs='*', metavar='NAME', help='by default all that the forecaster has'
    )
    parser.add_argument(
        '--horizons',
        type=int,
        nargs='+',
        default=[1, 3],
        help='roll-out steps; each horizon is a run of its own (default: 1 3)',
    )
    agreement = (
        *('REF/PQ', 'REF/PQ-things', 'REF/PQ-stuff'),
        *('SEG/mIoU', 'SEG/IoU-MO', 'REF/IoU-MO', 'REF/AP50', 'REF/AP', 'REF/mask-AP50', 'REF/mask-AP'),
    )
    parser.add_argument('--metrics', nargs='+', default=[*METRICS, *agreement])
    parser.add_argument(
        '--workers',
        type=int,
        metavar='N',
        help='do runs, each a row and a horizon, in N processes at a time (default: in this one)',
    )
    parser.add_argument(
        '--threads', type=int, metavar='N', help='threads of each process (default: its share of the cores)'
    )
    add_cfg_options(parser, 'overrides for all configs, e.g. test_dataloader.dataset.data_root=X')


def workers_of(args: argparse.Namespace) -> RunAll | None:
    """Who does the runs of a comparison, by ``--workers`` and ``--threads``."""
    if args.workers is None:
        if args.threads is not None:
            check_positive('--threads', threads=args.threads)
            torch.set_num_threads(args.threads)
        return None
    return run_by_workers(args.workers, args.threads, explain)


def read_entries(models: Iterable, options: dict | None) -> list[Entry]:
    """Rows of (name, config, checkpoint or 'none'), as ``--model`` gives them, with ``--cfg-options``."""
    entries = []
    for name, config, checkpoint in models:
        entry = Entry(name, load_config(config, options), None if checkpoint == 'none' else checkpoint)
        if entry.checkpoint is None and weights_to_train(build_forecaster(entry.config).predictor):
            raise ValueError(
                f'{name}: the predictor of {config} has weights to train, so name a checkpoint; '
                "'none' is for a config that names the predictor's own"
            )
        entries.append(entry)
    return entries
