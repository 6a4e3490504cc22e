"""The model zoos of mmdetection, mmsegmentation and mmforecast by name: configs and published weights.

The installed packages bring their configs, and metafiles with the addresses of the weights; mmforecast brings
its weights, too. Every place that takes a checkpoint takes ``zoo://<name>``.
"""

import difflib
import functools
import glob
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import mmengine
from mmengine.runner import CheckpointLoader

from .checkpoint import load_checkpoint
from .download import cached_download

__all__ = ['PREFIX', 'ZOO_ENV', 'ZooModel', 'find_model', 'install_zoo_loader', 'zoo_weights']

PREFIX = 'zoo://'
PACKAGES = ('mmdet', 'mmseg', 'mmforecast')
# Further zoos: folders with a model-index.yml, as the packages have them in .mim, with : between them.
ZOO_ENV = 'MMFORECAST_ZOO'
_INDEX = 'model-index.yml'
_CITYSCAPES = 'https://download.openmmlab.com/mmdetection/v2.0/cityscapes/'
# What only the README of a zoo lists, and no metafile.
_UNLISTED = {
    'faster-rcnn_r50_fpn_1x_cityscapes': _CITYSCAPES
    + 'faster_rcnn_r50_fpn_1x_cityscapes_20200502-829424c0.pth',
    'mask-rcnn_r50_fpn_1x_cityscapes': (
        f'{_CITYSCAPES}mask_rcnn_r50_fpn_1x_cityscapes/'
        'mask_rcnn_r50_fpn_1x_cityscapes_20201211_133733-d2858245.pth'
    ),
}


@dataclass(frozen=True)
class ZooModel:
    """A model of a zoo.

    Attributes:
        name: Its name in the metafile, or that of its config.
        zoo: 'mmdet', 'mmseg', 'mmforecast', or the folder of a further zoo.
        config: Path of its config.
        url: Address or path of its weights; None where none are published.
    """

    name: str
    zoo: str
    config: Path
    url: str | None


def find_model(name: str) -> ZooModel:
    """The model of a name.

    Args:
        name: A name or an alias of a metafile, or the name of a config, with or without its folder and '.py':
            'rtmdet-ins_tiny_8xb32-300e_coco', 'mmdet::rtmdet/rtmdet-ins_tiny_8xb32-300e_coco.py'. A prefix
            'zoo://' is ignored. Where several entries of a metafile have a name, it is the first, as in
            mmengine.

    Raises:
        ValueError: No zoo has it; the message names those that come close.
    """
    wanted = name.removeprefix(PREFIX).strip()
    zoo, separator, wanted = wanted.rpartition('::')
    wanted = wanted.removesuffix('.py')
    roots = _roots()
    if separator and zoo not in roots:
        raise ValueError(f'{name}: there is no zoo {zoo!r} here, only {", ".join(roots)}')
    searched = {own: root for own, root in roots.items() if own == zoo or not separator}
    for own, root in searched.items():
        if _mentions(root, wanted) and wanted in _models(own, root):
            return _models(own, root)[wanted]
    known = dict.fromkeys(name for own, root in searched.items() for name in _models(own, root))
    raise ValueError(
        f'no model zoo here ({", ".join(roots) or "mmdet and mmseg are not installed"}) has a model or '
        f'config {wanted!r}{_suggestion(wanted, list(known))}'
    )


def zoo_weights(name: str, progress: bool = True) -> Path:
    """The weights of a model: a file of the zoo, or of the cache of downloads, see :func:`cached_download`.

    Args:
        name: As for :func:`find_model`.
        progress: Show a progress bar on stderr.

    Raises:
        ValueError: No zoo has the model, or its weights are not published.
        DownloadError: They cannot be downloaded.
    """
    model = find_model(name)
    if model.url is None:
        raise ValueError(
            f'the zoo of {model.zoo} has a config {model.name} but publishes no weights of it: give the path '
            'of a checkpoint'
        )
    return cached_download(model.url, progress) if '://' in model.url else Path(model.url)


def install_zoo_loader() -> None:
    """Make mmengine's :class:`CheckpointLoader` read ``zoo://<name>``, as safely as it reads files."""
    CheckpointLoader.register_scheme(PREFIX, load_from_zoo, force=True)


def load_from_zoo(filename: str, map_location: Any = None) -> dict:
    return load_checkpoint(str(zoo_weights(filename)), map_location)


def _roots() -> dict[str, Path]:
    """Folders with a model-index.yml, by the name of the zoo."""
    roots = {}
    for folder in filter(None, os.environ.get(ZOO_ENV, '').split(os.pathsep)):
        if not Path(folder, _INDEX).is_file():
            raise ValueError(f'{ZOO_ENV} names {folder}, but there is no {_INDEX} in it')
        roots[Path(folder).resolve().name] = Path(folder).resolve()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        folder = Path(spec.origin).parent
        # An installed package, or else a checkout on the path.
        for root in (folder / '.mim', folder.parent):
            if (root / _INDEX).is_file():
                roots.setdefault(package, root)
    return roots


def _mentions(root: Path, name: str) -> bool:
    """Whether a zoo can have a model of a name: much faster than parsing all of its metafiles."""
    stem = name.rpartition('/')[2]
    texts = ((root / path).read_text(encoding='utf-8') for path in _metafiles(root))
    return any(stem in text for text in texts) or any(root.glob(f'configs/**/{glob.escape(stem)}.py'))


def _metafiles(root: Path) -> list[str]:
    """The metafiles that the index of a zoo names, relative to its folder."""
    return mmengine.load(root / _INDEX).get('Import') or []


@functools.cache
def _models(zoo: str, root: Path) -> dict[str, ZooModel]:
    """The models of a zoo by all of their names."""
    configs = sorted(path for path in root.glob('configs/**/*.py') if '_base_' not in path.parts)
    listed = list(_listed(zoo, root, {path.name: path for path in configs}))
    models: dict[str, ZooModel] = {}
    for model, _ in listed:
        models.setdefault(model.name, model)
    for model, aliases in listed:
        for alias in (*aliases, *_config_names(model.config, root)):
            models.setdefault(alias, model)
    for config in configs:
        for name in _config_names(config, root):
            models.setdefault(name, ZooModel(name, zoo, config, _UNLISTED.get(config.stem)))
    return models


def _listed(zoo: str, root: Path, configs: dict[str, Path]) -> Iterator[tuple[ZooModel, list[str]]]:
    """The models of a zoo's metafiles, and their aliases.

    Args:
        zoo: Its name.
        root: Its folder.
        configs: The config of each file name, for entries that give a wrong folder.
    """
    for path in _metafiles(root):
        content = mmengine.load(root / path)
        for entry in (content.get('Models') if isinstance(content, dict) else content) or ():
            if not (isinstance(entry, dict) and entry.get('Name') and entry.get('Config')):
                continue
            config = root / unquote(entry['Config'])
            if not config.is_file():
                config = configs.get(config.name, config)
            url, aliases = entry.get('Weights'), entry.get('Alias') or []
            url = url if isinstance(url, str) else None  # a list is of the parts of a tracker
            if url is not None and '://' not in url:
                url = str(root / url)
            model = ZooModel(str(entry['Name']), zoo, config, url)
            yield model, [aliases] if isinstance(aliases, str) else aliases


def _config_names(config: Path, root: Path) -> list[str]:
    """'faster-rcnn_r50', and 'faster_rcnn/faster-rcnn_r50'."""
    try:
        inside = config.relative_to(root / 'configs')
    except ValueError:
        return [config.stem]
    return [config.stem, inside.with_suffix('').as_posix()]


def _suggestion(wanted: str, known: list[str]) -> str:
    """The names that come close to a wrong one."""
    lower = {name.lower(): name for name in known if '/' not in name}
    close = sorted(name for name in lower if name.startswith(wanted.lower())) if wanted else []
    close = (close + difflib.get_close_matches(wanted.lower(), lower, n=3, cutoff=0.7))[:3]
    return f'; did you mean {" or ".join(lower[name] for name in dict.fromkeys(close))}?' if close else ''
