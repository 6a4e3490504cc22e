"""One table of trained forecasters and baselines, as text, Markdown and CSV."""

import argparse
from pathlib import Path

from mmengine.logging import MMLogger

from mmforecast.apis.compare import (
    compare,
    comparison_columns,
    comparison_table,
    save_comparison,
    with_baselines,
)
from mmforecast.apis.compare_costs import add_costs
from mmforecast.apis.evaluate import load_config

from .row_options import add_row_options, read_entries, workers_of

__all__ = ['add_arguments', 'add_parser', 'main']

EXAMPLES = """examples:
  # the baselines alone
  %(prog)s configs/s2s/s2s_warp_tiny_synthetic.py
  # a trained model (three seeds, reported as mean ± deviation) beside them, short and mid term
  %(prog)s configs/s2s/s2s_warp_tiny_synthetic.py --horizons 1 3 \\
      --model S2S configs/s2s/s2s_warp_tiny_synthetic.py work_dirs/seed0/iter_500.pth \\
      --model S2S configs/s2s/s2s_warp_tiny_synthetic.py work_dirs/seed1/iter_500.pth \\
      --out work_dirs/table
"""


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Register the subcommand with ``argparse``'s subparsers."""
    parser = subparsers.add_parser('compare')
    add_arguments(parser)
    return parser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subcommand, its description and its examples."""
    parser.description = __doc__
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('config', help='config whose data and encoder the baselines use')
    add_row_options(parser)
    parser.add_argument(
        '--costs',
        action='store_true',
        help="columns of the predictor's multiply-adds for the longest forecast, and of the training time",
    )
    parser.add_argument(
        '--out', type=Path, help='write table.txt, .md, .csv, .json and curve_<metric>.png here'
    )


def main(args: argparse.Namespace) -> None:
    """Evaluate, print the table and write it."""
    # one table at the end instead of a log for every run
    MMLogger.get_current_instance().setLevel('WARNING')
    base = load_config(args.config, args.cfg_options)
    models = read_entries(args.model, args.cfg_options)
    entries = with_baselines(base, models, args.baselines)
    rows = compare(entries, sorted(args.horizons), run_all=workers_of(args))
    if args.costs:
        add_costs(rows, entries, max(args.horizons))
    columns = comparison_columns(rows, args.metrics)
    print(comparison_table(rows, columns))
    for row in rows:
        if 'note' in row:
            print(f'{row["method"]}: {row["note"]}')
    if args.out is not None:
        save_comparison(rows, columns, args.out)
        print(f'written to {args.out}/table.txt, .md, .csv, .json and curves')
