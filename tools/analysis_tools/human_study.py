"""A study of what people think of images: sheets that hide where images are from, and their evaluation."""

import argparse
from pathlib import Path

from mmforecast.cli.common import TRACEBACK_FLAG, cli_errors
from mmforecast.creative.human_study import (
    assign,
    correlations,
    draw_items,
    export_study,
    liking_by_metric,
    liking_figure,
    read_answers,
    read_key,
    read_metrics,
    summarize,
)
from mmforecast.evaluation.table import format_table
from mmforecast.fileio.atomic import write_atomically

EXAMPLES = """examples:
  # 40 images of each set, each to be seen by 5 of 20 people; keep the key to yourself
  python tools/analysis_tools/human_study.py export --set real real/ --set dcgan dcgan/ \\
      --set can can/ --per-set 40 --raters 20 --out study --key study_key.csv

  # when the forms are back; per_image.csv is what evaluate_images.py writes
  python tools/analysis_tools/human_study.py aggregate --key study_key.csv --answers study/rater_*.csv \\
      --metrics work_dirs/evaluation/per_image.csv --out work_dirs/study

The six questions are those of DeSIGN's study as we remember them; their wording is not verified.
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    export = commands.add_parser('export', help='write pictures and forms')
    add = export.add_argument
    add('--set', nargs=2, action='append', required=True, metavar=('NAME', 'FOLDER'))
    add('--per-set', type=int, default=40, help='images of each set (default: 40)')
    add('--raters', type=int, required=True, help='how many people will answer')
    add('--ratings', type=int, default=5, help='people per image (default: 5)')
    add('--size', type=int, default=256, help='side that images are shown at (default: 256)')
    add('--out', type=Path, required=True, help='new folder for the raters')
    add('--key', type=Path, required=True, help='new CSV file that says what is what')
    aggregate = commands.add_parser('aggregate', help='evaluate forms that are filled in')
    add = aggregate.add_argument
    add('--key', type=Path, required=True)
    add('--answers', type=Path, nargs='+', required=True, help="the raters' CSV files")
    add('--metrics', type=Path, help='CSV with set, image and metrics, to correlate with')
    add('--title', default='', help='of the figure, such as that raters were simulated')
    add('--out', type=Path, help='write summary and correlations as .txt, .md and .csv here, and liking.png')
    for command in (export, aggregate):
        command.add_argument('--seed', type=int, default=0, help='of all draws (default: 0)')
        command.add_argument(TRACEBACK_FLAG, action='store_true', help='print the traceback of errors')
    return parser.parse_args()


def export(args: argparse.Namespace) -> None:
    folders = dict(args.set)
    if len(folders) < len(args.set):
        raise ValueError('two sets have one name: give each --set a name of its own')
    items = draw_items(folders, args.per_set, args.seed)
    shares = assign(items, args.raters, args.ratings, args.seed)
    export_study(items, shares, args.out, args.key, args.size)
    fewest, most = min(map(len, shares)), max(map(len, shares))
    print(
        f'{len(items)} images of {len(folders)} sets in {args.out}, {fewest} to {most} for each of '
        f'{args.raters} raters; the key is {args.key}'
    )


def aggregate(args: argparse.Namespace) -> None:
    key = read_key(args.key)
    answers = read_answers(args.answers, key)
    tables = dict(summary=summarize(answers, key, args.seed))
    if args.metrics is not None:
        metrics = read_metrics(args.metrics)
        tables['correlations'] = correlations(answers, key, metrics)
        if args.out is not None and any('NN distance' in values for values in metrics.values()):
            liking_figure(liking_by_metric(answers, key, metrics), args.out / 'liking.png', title=args.title)
    for name, rows in tables.items():
        print(format_table(rows, decimals=2), end='\n\n')
        if args.out is not None:
            args.out.mkdir(parents=True, exist_ok=True)
            for style, ending in (('text', 'txt'), ('markdown', 'md'), ('csv', 'csv')):
                text = format_table(rows, style=style, decimals=2)
                write_atomically(str(args.out / f'{name}.{ending}'), f'{text}\n'.encode())
    print('Means over images, with 95 % bootstrap intervals over images in brackets.')


def main() -> None:
    args = parse_args()
    dict(export=export, aggregate=aggregate)[args.command](args)


if __name__ == '__main__':
    with cli_errors():
        main()
