"""What an extraction takes of a config, and the extraction of all its splits."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmforecast.datasets import BaseSequenceDataset
from mmforecast.models.encoders import BaseEncoder
from mmforecast.registry import DATASETS, MODELS, TRANSFORMS
from mmforecast.utils.source_configs import source_configs

from .batch.units import Shard
from .evaluate import SCOPE, load_config
from .extract import extract_representations
from .extract_frames import RESIZING

__all__ = ['ExtractionJob', 'extract_here']


@dataclass(frozen=True)
class ExtractionJob:
    """What is extracted.

    Args:
        config: Path of a config whose ``model.encoder`` has a network.
        checkpoint: Its weights; None for those of the config.
        out: Each split is written to a store ``out/<split>``.
        splits: Data loaders of the config: 'train', 'val', or another ``<name>_dataloader``.
        levels: Names of levels; None for all.
        chunk: Frames per forward pass.
        options: Overrides of the config.
    """

    config: str
    checkpoint: str | None
    out: str
    splits: tuple[str, ...] = ('train', 'val')
    levels: tuple[str, ...] | None = None
    chunk: int = 8
    options: dict | None = None

    @property
    def model(self) -> str:
        """Name of the network, for manifests."""
        return Path(self.config).stem

    @cached_property
    def cfg(self) -> Config:
        """The config."""
        return load_config(self.config, self.options)

    def root(self, split: str) -> str:
        """Folder of the store of a split."""
        return os.path.join(self.out, split)

    def build_encoder(self, device: str | None = None) -> BaseEncoder:
        """The encoder, in eval mode; by default on a GPU if there is one."""
        encoder_cfg = self.cfg.model.encoder.to_dict()
        if self.checkpoint is not None:
            encoder_cfg['checkpoint'] = self.checkpoint
        with DefaultScope.overwrite_default_scope(SCOPE):
            encoder = MODELS.build(encoder_cfg)
        return encoder.to(device or ('cuda' if torch.cuda.is_available() else 'cpu')).eval()

    def build_dataset(self, split: str) -> BaseSequenceDataset:
        """The data of a split, with what resizes frames alone in its pipeline."""
        dataset_cfg = self.cfg[f'{split}_dataloader'].dataset.to_dict()
        with DefaultScope.overwrite_default_scope(SCOPE):
            for source in source_configs(dataset_cfg):
                source['pipeline'] = [step for step in source.get('pipeline', ()) if _resizes(step)]
            return DATASETS.build(dataset_cfg)


def _resizes(step: dict) -> bool:
    kind = step['type']
    return (TRANSFORMS.get(kind) if isinstance(kind, str) else kind) in RESIZING


def extract_here(job: ExtractionJob, dry_run: bool = False, shard: Shard | None = None) -> dict[str, dict]:
    """Extract in this process; what :func:`extract_representations` returns, by split."""
    encoder = job.build_encoder()
    reports = {}
    for split in job.splits:
        print(f'{split}:')
        dataset, root = job.build_dataset(split), job.root(split)
        reports[split] = extract_representations(
            encoder, dataset, root, job.model, job.levels, job.chunk, dry_run, shard
        )
    return reports
