"""Write a comparison as one HTML page: ``mmforecast report`` without an installed package."""

import argparse

from mmforecast.cli import report
from mmforecast.cli.common import cli_errors


def main():
    parser = argparse.ArgumentParser()
    report.add_arguments(parser)
    report.main(parser.parse_args())


if __name__ == '__main__':
    with cli_errors():
        main()
