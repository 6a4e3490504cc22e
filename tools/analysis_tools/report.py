"""Write a comparison as one HTML page: table, curves, moving pictures, configs, environment."""

import argparse

from mmforecast.cli import report
from mmforecast.engine import cli_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=report.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.add_arguments(parser)
    return parser.parse_args()


if __name__ == '__main__':
    with cli_errors():
        report.main(parse_args())
