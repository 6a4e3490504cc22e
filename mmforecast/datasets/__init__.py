from mmforecast.utils.moved_names import forward_moved_names

from .camvid_sequence import CamVidSequenceDataset
from .cityscapes_sequence import CityscapesSequenceDataset
from .file_access import CorruptFrameError
from .image_files import BadImageError
from .representation_store import (
    Level,
    RepresentationStore,
    StoreError,
    StoreManifest,
    StoreWriter,
)
from .sequence import Sequence
from .sequence_dataset import BaseSequenceDataset
from .ucf101 import UCF101Dataset
from .ucf101_test_frames import UCF101TestFramesDataset
from .video_folder import VideoFolderDataset

__all__ = [
    'BadImageError',
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
    'UCF101Dataset',
    'UCF101TestFramesDataset',
    'VideoFolderDataset',
]

forward_moved_names(
    __name__,
    creative__datasets=(
        'BaseAttributeDataset FashionDataset FashionMNISTDataset SyntheticGarmentDataset '
        'SyntheticTextureDataset '
    ),
)
