"""Prints a config with everything it inherits, or writes it to a file.

    python tools/misc/print_config.py configs/s2s/s2s_warp_tiny_synthetic.py
    python tools/misc/print_config.py configs/s2s/s2s_warp_tiny_synthetic.py \\
        --cfg-options train_cfg.max_epochs=2 model.num_past=4
    python tools/misc/print_config.py configs/s2s/s2s_warp_tiny_synthetic.py --save-path whole.py
"""

import argparse
import sys
from pathlib import Path

from mmengine.config import Config, DictAction

SUFFIXES = ('.py', '.json', '.yml', '.yaml')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='the config file')
    parser.add_argument(
        '--save-path', type=Path, help=f'also write the config there, as {", ".join(SUFFIXES)}'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='settings to change; a list is written KEY="[a,b]" or KEY=a,b, a tuple in a list '
        'KEY="[(a,b),(c,d)]"',
    )
    args = parser.parse_args()
    if args.save_path and args.save_path.suffix not in SUFFIXES:
        parser.error(f'--save-path must end in one of {", ".join(SUFFIXES)}: {args.save_path}')
    return args


def main() -> int:
    args = parse_args()
    cfg = Config.fromfile(args.config)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    print(cfg.pretty_text)
    if args.save_path:
        args.save_path.parent.mkdir(parents=True, exist_ok=True)
        cfg.dump(args.save_path)
        print(f'# written to {args.save_path}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
