"""The command line that the converters of released weights share."""

import argparse
from collections.abc import Sequence
from pathlib import Path


def converter_parser(
    description: str,
    examples: str,
    input_help: str,
    kinds: Sequence[str] = (),
    pickled: bool = True,
) -> argparse.ArgumentParser:
    """A parser with the arguments ``kind``, where there are several, ``input`` and ``output``.

    Args:
        description, examples: Of ``--help``.
        input_help: What the file to convert is.
        kinds: Names of what it may hold, where that must be told.
        pickled: Add ``--allow-unsafe-checkpoint``, for files that ``torch.load`` reads.
    """
    parser = argparse.ArgumentParser(
        description=description, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if kinds:
        parser.add_argument('kind', choices=kinds, help='what the file holds')
    parser.add_argument('input', type=Path, help=input_help)
    parser.add_argument('output', type=Path, help='the checkpoint to write')
    if pickled:
        parser.add_argument(
            '--allow-unsafe-checkpoint',
            action='store_true',
            help='read a file that could run code; only if you trust its author',
        )
    return parser
