"""The confusion matrix of forecasts that `tools/test.py --out FILE.pkl` wrote, as a table and a picture."""

import argparse
from pathlib import Path

import numpy as np

from mmforecast.apis.evaluate import load_config
from mmforecast.apis.offline import confusion_of_results
from mmforecast.cli.common import add_cfg_options, add_traceback_option, cli_errors
from mmforecast.evaluation import format_table
from mmforecast.evaluation.functional import row_shares
from mmforecast.fileio import write_atomically
from mmforecast.visualization.confusion import plot_confusion_matrix

EXAMPLES = """examples:
  python tools/test.py CONFIG CHECKPOINT --out results.pkl
  python tools/analysis_tools/confusion_matrix.py CONFIG results.pkl confusion
  # the first step, against the network's own output on the true frame
  python tools/analysis_tools/confusion_matrix.py CONFIG results.pkl confusion --step 1 --reference
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config that the forecasts were made with')
    parser.add_argument('results', metavar='results.pkl', help='file of forecasts')
    parser.add_argument(
        'save_dir', type=Path, help='folder for confusion_matrix.png, .csv (pixels) and .md (percent)'
    )
    parser.add_argument('--step', type=int, metavar='N', help='step to count, from 1 (default: the last one)')
    parser.add_argument(
        '--reference',
        action='store_true',
        help="count against the network's own output on the true frame instead of the labels",
    )
    parser.add_argument('--title', help='heading of the picture (default: what is shown)')
    parser.add_argument('--color-theme', default='Blues', help='colormap of matplotlib (default: Blues)')
    add_cfg_options(parser)
    add_traceback_option(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    classes, counts = confusion_of_results(cfg, args.results, args.reference)
    step = len(counts) if args.step is None else args.step
    if not 1 <= step <= len(counts):
        raise ValueError(f'--step must be 1 to {len(counts)}, the steps of {args.results}, got {step}')
    counts = counts[step - 1]
    if not counts.any():
        raise ValueError(
            f'step {step} of {args.results} has no labels to count against; choose another --step'
        )
    columns = [*classes, 'no class']
    if not counts[:, -1].any():  # only networks with classes of their own forecast none of the dataset's
        columns, counts = columns[:-1], counts[:, :-1]
    shares = row_shares(counts)
    title = args.title or f'step {step}, against {"the reference" if args.reference else "the labels"}'
    save(args, classes, columns, counts, shares, title)


def save(args, classes, columns, counts: np.ndarray, shares: np.ndarray, title: str) -> None:
    """Print the table; write picture and tables."""
    percent = table(classes, columns, shares.tolist())
    print(f'{title}, % of the true pixels of each class (rows) by forecast class (columns):')
    print(format_table(percent))
    picture = args.save_dir / 'confusion_matrix.png'
    plot_confusion_matrix(picture, shares, classes, columns, title, args.color_theme)
    pixels = format_table(table(classes, columns, counts.tolist()), style='csv')
    write_atomically(str(picture.with_suffix('.csv')), f'{pixels}\n'.encode())
    text = format_table(percent, style='markdown')
    write_atomically(str(picture.with_suffix('.md')), f'{text}\n'.encode())
    print(f'Wrote {picture}, .csv and .md.')


def table(classes, columns, values: list[list]) -> list[dict]:
    """Rows of a table, one per true class."""
    return [
        {'true class': name, **dict(zip(columns, row, strict=True))}
        for name, row in zip(classes, values, strict=True)
    ]


if __name__ == '__main__':
    with cli_errors():
        main()
