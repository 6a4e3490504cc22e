"""One table from several that compare has written, in groups of methods that start from the same encoder.

Rows of one name within a group, such as copy-last, must agree and become one.
"""

import argparse
from pathlib import Path

from mmforecast.apis.compare import METRICS
from mmforecast.apis.merge_comparisons import merge_rows, merged_table, read_comparison
from mmforecast.cli.common import cli_errors
from mmforecast.fileio.atomic import write_atomically

EXAMPLES = """examples:
  T=work_dirs/reproduce
  python tools/analysis_tools/merge_tables.py --metrics mIoU IoU-MO \\
      --group "True label maps, half resolution" $T/masked_labels/tables/labels $T/s2s/tables/systems \\
      --group "Features of a segmentor" $T/f2mf/tables/street
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--group',
        nargs='+',
        action='append',
        required=True,
        metavar=('NAME', 'FOLDER'),
        help='the name of a group, and the folders of its tables (--out of compare); repeat it',
    )
    parser.add_argument('--metrics', nargs='+', default=METRICS, help='scores to show')
    parser.add_argument('--style', choices=['text', 'markdown'], default='markdown')
    parser.add_argument('--out', type=Path, metavar='FILE', help='write the table to this file as well')
    args = parser.parse_args()
    for name, *folders in args.group:
        if not folders:
            parser.error(f'--group {name}: name at least one folder after the name of the group')
    return args


def main() -> None:
    args = parse_args()
    groups = {
        name: merge_rows({folder: read_comparison(Path(folder)) for folder in folders})
        for name, *folders in args.group
    }
    table = merged_table(groups, args.metrics, args.style)
    print(table)
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(str(args.out), f'{table}\n'.encode())


if __name__ == '__main__':
    with cli_errors():
        main()
