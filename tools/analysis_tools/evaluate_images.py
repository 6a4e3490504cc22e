"""One table of generated images against real ones, with pictures of the nearest training images.

By attribute (shape, texture): how sure and varied a classifier finds the images (score), how near that is
to the training images (AM, lower is nearer), and how little it can decide (confusion, 1 is not at all),
beside how often it is right on real images. Then the mean distance to the nearest training images, the
share of images that are nearer to one than almost all unseen real images are (copied), FID and KID to the
training images, density and coverage, and how light the images are. The first row are held-out real images:
what a perfect generator would get. Where distances are in neutral features, these are compared with the
training images first.
"""

import argparse
import os
from pathlib import Path

from mmengine.config import Config, DictAction
from mmengine.logging import MMLogger

from mmforecast.apis.evaluate import load_config
from mmforecast.cli.common import TRACEBACK_FLAG, cli_errors
from mmforecast.creative.apis.evaluate_images import REAL, evaluate_sets, judge_attributes
from mmforecast.creative.apis.image_features import (
    FEATURES,
    PACKAGED,
    build_features,
    class_names,
    load_classifier,
)
from mmforecast.creative.apis.image_report import merge_rows, save_report
from mmforecast.creative.apis.image_sets import (
    ImageSet,
    dataset_images,
    fill_of,
    folder_images,
    join_sets,
    sampled_images,
)
from mmforecast.creative.evaluation import require_torchmetrics
from mmforecast.engine.launch import find_last_checkpoint
from mmforecast.evaluation.table import format_table

EXAMPLES = """examples:
  # a folder of images, by the classifier of the clothing photographs
  python tools/analysis_tools/evaluate_images.py configs/_base_/datasets/clothing_64.py \\
      --classifier configs/creative_gan/attribute-classifier_tiny_clothing-64.py classifier.pth \\
      --set mine my_images/ --out work_dirs/evaluation

  # trained models; the same NAME for seeds of one model, which are shown as mean ± deviation
  python tools/analysis_tools/evaluate_images.py configs/_base_/datasets/clothing_64.py \\
      --classifier configs/creative_gan/attribute-classifier_tiny_clothing-64.py classifier.pth \\
      --sampler 'CAN(H)' CONFIG seed0.pth --sampler 'CAN(H)' CONFIG seed1.pth --number 2000

  # distances in neutral features, and the confusion that mere degradation cannot explain
  python tools/analysis_tools/evaluate_images.py ... --features efficientnet-lite0 --calibrate

  # FID of the papers: distances in Inception's features
  python tools/analysis_tools/evaluate_images.py ... --features torchscript inception-2015-12-05.pt
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('data', help='config with the real images, e.g. configs/_base_/datasets/clothing_64.py')
    add('--classifier', nargs=2, action='append', required=True, metavar=('CONFIG', 'CHECKPOINT'))
    add('--set', nargs=2, action='append', default=[], metavar=('NAME', 'FOLDER'))
    add(
        '--sampler',
        nargs=3,
        action='append',
        default=[],
        metavar=('NAME', 'CONFIG', 'CHECKPOINT'),
        help='a model with sample(), such as CreativeGAN; CHECKPOINT may also be the folder of a run, for its '
        'last one',
    )
    add('--number', type=int, default=1000, help='images per set at most (default: 1000)')
    add('--seed', type=int, default=0, help='of the samplers and of draws (default: 0)')
    add(
        '--features',
        nargs='+',
        metavar='KIND [PATH]',
        help=f'{" or ".join(FEATURES)}, and the file of its weights unless it is {", ".join(PACKAGED)} '
        '(default: those of the first classifier)',
    )
    add(
        '--held-out',
        nargs='+',
        default=['test'],
        choices=['val', 'test'],
        help='the real images that nothing was trained or chosen by (default: test)',
    )
    add(
        '--calibrate',
        action='store_true',
        help='score confusion against that of degraded real images, and draw both',
    )
    add('--neighbors', type=int, default=10, help='nearest training images (default: 10)')
    add('--quantile', type=float, default=0.05, help='of the copied share (default: 0.05)')
    add('--out', type=Path, help='write table.txt, .md, .csv, per_image.csv and pictures here')
    add('--cfg-options', nargs='+', action=DictAction, help='overrides of the config DATA')
    add(TRACEBACK_FLAG, action='store_true', help='print the traceback of errors')
    args = parser.parse_args()
    if args.features is not None and len(args.features) > 2:
        parser.error('--features takes a KIND and at most one PATH')
    if not args.set and not args.sampler and not args.calibrate:
        parser.error('give at least one --set NAME FOLDER or --sampler NAME CONFIG CHECKPOINT, or --calibrate')
    if args.number < 2 or args.seed < 0:
        parser.error('--number must be at least 2 and --seed at least 0')
    return args


def checkpoint_in(path: str) -> str:
    """A checkpoint itself, or the last one of the run whose folder is given."""
    if not os.path.isdir(path):
        return path
    found = find_last_checkpoint(path)
    if found is None:
        raise FileNotFoundError(f'{path} is not the folder of a run: it has no file last_checkpoint')
    return found


def real_images(args: argparse.Namespace, cfg: Config) -> tuple[ImageSet, ImageSet]:
    """Training and held-out images of the data config."""
    if 'train_dataloader' not in cfg or 'val_dataloader' not in cfg:
        raise ValueError(f'{args.data} has no train_dataloader and val_dataloader')
    train = dataset_images(cfg, 'train', 'train')
    parts, seen = [], []
    for part in dict.fromkeys(args.held_out):
        settings = cfg.get(f'{part}_dataloader', {}).get('dataset')
        if settings is not None and settings not in seen:
            seen.append(settings)
            parts.append(dataset_images(cfg, part, part))
    if not parts:
        raise ValueError(f'{args.data} has no dataloader of {" or ".join(args.held_out)}')
    return train, join_sets(parts, REAL)


def main() -> None:
    args = parse_args()
    MMLogger.get_current_instance().setLevel('WARNING')
    require_torchmetrics()
    data = load_config(args.data, args.cfg_options)
    train, held_out = real_images(args, data)
    judges, notes, of_classifier = [], [], None
    for config, given in args.classifier:
        checkpoint = checkpoint_in(given)
        classifier = load_classifier(load_config(config), checkpoint)
        accepted, refused = judge_attributes(classifier, held_out, class_names(checkpoint))
        judges, notes = judges + accepted, notes + refused
        of_classifier = of_classifier or classifier.features
    features, others = of_classifier, {}
    if args.features:
        features, others = build_features(*args.features), dict(classifier=of_classifier)
    else:
        notes.append(
            'Whether the held-out images are of the distribution of the training images was not checked: that '
            'takes neutral features, --features.'
        )
    size = train.images.shape[-1]
    sets = [folder_images(folder, name, size, fill_of(data), args.number) for name, folder in args.set]
    for name, config, checkpoint in args.sampler:
        cfg = load_config(config)
        draw = (args.number, args.seed, held_out.masks)
        sets.append(sampled_images(cfg, checkpoint_in(checkpoint), name, size, *draw))
    found = evaluate_sets(
        train,
        held_out,
        sets,
        judges,
        features,
        args.neighbors,
        args.quantile,
        args.seed,
        other_features=others,
        with_calibration=args.calibrate,
        with_reference=args.features is not None,
    )
    warning = found.reference and found.reference.sentence(held_out.name)
    notes += [f'WARNING: {warning}'] if warning else []
    kind = f'{args.features[0]} features' if args.features else 'features of the first classifier'
    notes.append(
        f'Distances, FID and KID are in {kind}; copied: nearer to a training image than '
        f'{100 * (1 - args.quantile):g} % of the held-out real images are.'
    )
    print(format_table(merge_rows(found.rows), decimals=3))
    print('\n' + '\n'.join(notes))
    if found.calibration is not None:
        print('\n' + format_table(found.calibration.rows(), decimals=3))
    if args.out is not None:
        save_report(found, [held_out, *sets], train, notes, args.out)
        print(f'written to {args.out}')


if __name__ == '__main__':
    with cli_errors():
        main()
