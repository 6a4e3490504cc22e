"""Try detectors of mmdet under F2F and segmentors of mmseg under S2S, and write docs/compatibility.md.

    python tools/misc/compatibility                                  # all, about ten minutes; writes the page
    python tools/misc/compatibility --networks mask-rcnn pspnet      # a few, printed

Every network is tried by the code of this checkout, in one run.
"""

import argparse
import json
import logging
import warnings
from pathlib import Path

import torch
from mmengine.registry import init_default_scope
from networks import NETWORKS
from page import page_of
from trial import try_network

PAGE = Path(__file__).resolve().parents[3] / 'docs/compatibility.md'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--networks', nargs='+', choices=NETWORKS, help='try these alone and print their rows')
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings('ignore')
    logging.disable(logging.WARNING)
    init_default_scope('mmforecast')
    rows = []
    for name in args.networks or NETWORKS:
        rows.append(try_network(name))
        print(json.dumps(rows[-1]), flush=True)
    if not args.networks:
        former = PAGE.read_text(encoding='utf-8') if PAGE.exists() else ''
        PAGE.write_text(page_of(rows, former), encoding='utf-8')


if __name__ == '__main__':
    main()
