"""One table of trained forecasters and baselines: ``mmforecast compare`` without an installed package."""

import argparse

from mmforecast.cli import compare
from mmforecast.cli.common import cli_errors


def main():
    parser = argparse.ArgumentParser()
    compare.add_arguments(parser)
    compare.main(parser.parse_args())


if __name__ == '__main__':
    with cli_errors():
        main()
