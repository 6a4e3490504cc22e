from .attribute_dataset import BaseAttributeDataset
from .camvid_sequence import CamVidSequenceDataset
from .cityscapes_sequence import CityscapesSequenceDataset
from .fashion import FashionDataset
from .fashion_mnist import FashionMNISTDataset
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
from .textures import SyntheticGarmentDataset, SyntheticTextureDataset
from .ucf101 import UCF101Dataset
from .ucf101_test_frames import UCF101TestFramesDataset
from .video_folder import VideoFolderDataset

__all__ = [
    'BadImageError',
    'BaseAttributeDataset',
    'BaseSequenceDataset',
    'CamVidSequenceDataset',
    'CityscapesSequenceDataset',
    'CorruptFrameError',
    'FashionDataset',
    'FashionMNISTDataset',
    'Level',
    'RepresentationStore',
    'Sequence',
    'StoreError',
    'StoreManifest',
    'StoreWriter',
    'SyntheticGarmentDataset',
    'SyntheticTextureDataset',
    'UCF101Dataset',
    'UCF101TestFramesDataset',
    'VideoFolderDataset',
]
