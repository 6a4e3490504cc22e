"""Write the weights of `mmforecast design`: generator, classifier, features of the training images; as halves.

The file is read by mmforecast.creative.apis.design, which names it.
"""

import argparse
import hashlib
import io
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger

from mmforecast.apis.evaluate import load_config
from mmforecast.cli.common import TRACEBACK_FLAG, cli_errors
from mmforecast.creative.apis.image_features import compute, load_classifier
from mmforecast.creative.apis.image_sets import dataset_images
from mmforecast.creative.apis.sample_images import build_sampler
from mmforecast.fileio.atomic import write_atomically


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of the generator, configs/creative_gan/design_*.py')
    parser.add_argument('checkpoint', help='its checkpoint, of which the averaged generator is taken')
    parser.add_argument('classifier', help='config of the classifier of the same data')
    parser.add_argument('classifier_checkpoint', help='its checkpoint')
    parser.add_argument('--out', type=Path, required=True, help='folder for <config>-<sha256>.pth')
    parser.add_argument(TRACEBACK_FLAG, action='store_true', help='print the traceback of errors')
    return parser.parse_args()


def halves(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The state of a module, floats as halves."""
    return {
        name: value.cpu().half() if value.is_floating_point() else value.cpu()
        for name, value in module.state_dict().items()
    }


def training_set(cfg: Config) -> Config:
    """The data config in the form that its pictures are read from: without augmentation."""
    cfg = cfg.copy()
    cfg.val_dataloader = dict(dataset=dict(pipeline=[dict(type='PackCreativeInputs')]))
    return cfg


def main() -> None:
    args = parse_args()
    MMLogger.get_current_instance().setLevel('WARNING')
    cfg = load_config(args.config)
    model = build_sampler(cfg, args.checkpoint)
    classifier = load_classifier(load_config(args.classifier), args.classifier_checkpoint)
    train = dataset_images(training_set(cfg), 'train', 'train')
    features = compute(classifier.features, train.images)[0]
    generator = model.generator if model.generator_ema is None else model.generator_ema.module
    args.out.mkdir(parents=True, exist_ok=True)
    content = dict(
        generator=halves(generator),
        classifier=halves(classifier),
        features=torch.from_numpy(features).half(),
        attributes={name: list(names) for name, names in train.classes.items()},
    )
    buffer = io.BytesIO()
    torch.save(content, buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:8]
    path = args.out / f'{Path(args.config).stem}-{digest}.pth'
    write_atomically(str(path), buffer.getvalue())
    print(f'written to {path}: {path.stat().st_size / 1e6:.2f} MB')


if __name__ == '__main__':
    with cli_errors():
        main()
