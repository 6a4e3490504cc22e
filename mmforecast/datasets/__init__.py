from .camvid_sequence import CamVidSequenceDataset
from .cityscapes_sequence import CityscapesSequenceDataset
from .file_access import CorruptFrameError
from .representation_store import (
    Level,
    RepresentationStore,
    StoreError,
    StoreManifest,
    StoreWriter,
)
from .sequence_dataset import BaseSequenceDataset, Sequence

__all__ = [
    'BaseSequenceDataset',
    'CamVidSequenceDataset',
    'CityscapesSequenceDataset',
    'CorruptFrameError',
    'Level',
    'RepresentationStore',
    'Sequence',
    'StoreError',
    'StoreManifest',
    'StoreWriter',
]
