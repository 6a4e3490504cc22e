"""Transforms that read a clip's frames and label maps."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmforecast.registry import TRANSFORMS
from mmforecast.structures.cityscapes import IGNORE_INDEX
from mmforecast.utils.checks import check_choice

from ..file_access import CorruptFrameError, FileReader
from ..frame_cache import FrameCache
from ..image_files import MAX_PIXELS, claimed_size, stored_values
from ..video import VideoError, VideoReader, split_frame_path

__all__ = ['LoadClipFrames', 'LoadClipSemSeg', 'LoadLabelMaps']

# What settles a clip's size, and how a message calls it.
_PIXEL_FIELDS = dict(
    frames='frames', gt_sem_seg='label maps', gt_instance_map='instance maps', gt_depth='maps of depth'
)

# A train id that no dataset has: marks raw labels that a label table doesn't know.
_UNKNOWN = 254


def read_image(reader: FileReader, path: str, flags: int, sequence: str) -> np.ndarray:
    """Decode one file of a clip; CorruptFrameError where that is impossible."""
    return _decode_image(_read_bytes(reader, path, sequence), path, flags, sequence)


def read_label_map(reader: FileReader, path: str, sequence: str) -> np.ndarray:
    """The values that an image file stores: palette indices, and gray levels of less than 8 bits unscaled.

    Raises:
        CorruptFrameError: The file can't be read.
        ValueError: It is a JPEG, which doesn't keep values.
    """
    data = _read_bytes(reader, path, sequence)
    image = _decode_image(data, path, cv2.IMREAD_UNCHANGED, sequence)
    if data.startswith(b'\xff\xd8'):
        raise ValueError(
            f'{path} of sequence {sequence} is a JPEG, whose compression changes class ids: write label maps '
            'as PNG'
        )
    return stored_values(data, image)


def _read_bytes(reader: FileReader, path: str, sequence: str) -> bytes:
    try:
        return reader.read(path)
    except OSError as error:
        raise CorruptFrameError(
            f'{path} of sequence {sequence} cannot be read: {error}; restore the file.', path
        ) from error


def _decode_image(data: bytes, path: str, flags: int, sequence: str) -> np.ndarray:
    # Some OpenCV releases fill up what a truncated PNG lacks and only print a warning.
    truncated = data.startswith(b'\x89PNG') and b'IEND' not in data[-64:]
    height, width = claimed_size(data) or (0, 0)
    if height * width > MAX_PIXELS:
        raise CorruptFrameError(
            f'{path} of sequence {sequence} says to have {height * width} pixels or more, and {MAX_PIXELS} '
            'are allowed: its header is wrong or hostile, or the frame must be made smaller.',
            path,
        )
    decodable = height * width > 0 and not truncated
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if decodable else None
    if image is None:
        raise CorruptFrameError(
            f'{path} of sequence {sequence} is '
            f'{"truncated" if truncated or not data else "corrupt"} ({len(data)} bytes); restore '
            'the file.',
            path,
        )
    return image


def set_shape(results: dict, shape: tuple, path: str):
    """Settle the clip's (H, W). Frames and labels must agree; scores may be coarser."""
    known = results.get('img_shape')
    loaded = [name for key, name in _PIXEL_FIELDS.items() if key in results]
    if loaded and known is not None and known != shape:
        raise ValueError(
            f'{path} is {shape[0]}x{shape[1]} pixels, but its {loaded[0]} in sequence '
            f'{results["sequence_id"]} are {known[0]}x{known[1]}: convert both to one size (labels '
            'with nearest neighbor) before training'
        )
    results['img_shape'] = results['ori_shape'] = shape


@TRANSFORMS.register_module()
class LoadClipFrames(BaseTransform):
    """Read the clip's frames, from image files or out of a video (``clip.mp4#12``, see ``video/``).

    Adds ``frames``, (T, H, W, 3) uint8 RGB, gray ones too, ``img_shape`` and ``ori_shape``.

    Args:
        which: 'all' frames of the clip, or the 'past' ones (T = num_past), for inference without a
            known future.
        cache_mb: Megabytes (2**20 bytes) of decoded frames to keep in each process that loads: image
            files as they are first read, and videos, each decoded whole then, as long as they fit. For
            datasets of a few minutes, whose frames are read many times.

    Raises:
        CorruptFrameError: A file is missing, truncated or corrupt.
        ValueError: The files differ in size.
    """

    def __init__(self, which: str = 'all', cache_mb: float = 0):
        check_choice(type(self).__name__, ('all', 'past'), which=which)
        self.which = which
        self.cache = FrameCache(cache_mb)
        self.files = FileReader()
        self.videos = VideoReader(self.cache)

    def transform(self, results: dict) -> dict:
        paths = results['img_paths']
        if self.which == 'past':
            paths = paths[: results['num_past']]
        read = self._read_video if split_frame_path(paths[0]) else self._read_images
        frames = read(paths, results['sequence_id'])
        set_shape(results, frames.shape[1:3], paths[0])
        results['frames'] = frames
        return results

    def _read_video(self, paths: list[str], sequence: str) -> np.ndarray:
        video = split_frame_path(paths[0])[0]
        try:
            return np.stack(self.videos.read(video, [split_frame_path(path)[1] for path in paths]))
        except VideoError as error:
            raise CorruptFrameError(
                f'{video} of sequence {sequence} {error}; restore the file.', video
            ) from error

    def _read_images(self, paths: list[str], sequence: str) -> np.ndarray:
        frames = [self._image(path, sequence) for path in paths]
        for path, frame in zip(paths, frames):
            if frame.shape != frames[0].shape:
                raise ValueError(
                    f'{path} is {frame.shape[0]}x{frame.shape[1]} pixels, but {paths[0]} of the '
                    f'same sequence {sequence} is {frames[0].shape[0]}x{frames[0].shape[1]}: the '
                    'frames of a sequence must be of one size'
                )
        return np.stack(frames)

    def _image(self, path: str, sequence: str) -> np.ndarray:
        frame = self.cache.get(path)
        if frame is None:
            frame = read_image(self.files, path, cv2.IMREAD_COLOR, sequence)
            cv2.cvtColor(frame, cv2.COLOR_BGR2RGB, dst=frame)
            self.cache.put(path, frame)
        return frame


class LoadLabelMaps(BaseTransform):
    """Base of the transforms that read the label files of those frames that have one.

    A subclass names the lists of paths and the field of the results, and implements :meth:`read`.
    """

    paths_key: str
    field: str
    dtype: type
    unlabelled: int  # fills frames without labels

    def __init__(self):
        self.reader = FileReader()

    def read(self, path: str, results: dict) -> np.ndarray:
        """The (H, W) map of one frame, of the field's ``dtype``."""
        raise NotImplementedError(f'{type(self).__name__} must implement read()')

    def transform(self, results: dict) -> dict:
        paths = results[self.paths_key]
        maps = None
        for step, path in enumerate(paths):
            if path is None:
                continue
            labels = self.read(path, results)
            set_shape(results, labels.shape, path)
            if maps is None:
                maps = results[self.field] = self._unlabelled_clip(results)
            maps[step] = labels
        if maps is None:
            if 'img_shape' not in results:
                raise ValueError(
                    f'no frame of this clip of sequence {results["sequence_id"]} has labels, so '
                    'that the size of its label maps is unknown: load frames or scores before '
                    f'labels, or drop {type(self).__name__}'
                )
            results[self.field] = self._unlabelled_clip(results)
        return results

    def _unlabelled_clip(self, results: dict) -> np.ndarray:
        shape = (len(results[self.paths_key]), *results['img_shape'])
        return np.full(shape, self.unlabelled, self.dtype)

    def _read_file(self, path: str, results: dict) -> np.ndarray:
        return read_label_map(self.reader, path, results['sequence_id'])


@TRANSFORMS.register_module()
class LoadClipSemSeg(LoadLabelMaps):
    """Read the label maps of those frames that have them.

    Files hold class ids in one channel of 1 to 16 bits, or as the indices of a palette, whose colors don't
    matter. Adds ``gt_sem_seg``, (T, H, W) uint8 train ids, 255 where unlabeled; ``labelled``, T bools; and
    ``img_shape``, ``ori_shape``. A clip without any label takes the size of its frames or
    scores, so that these must be loaded before.

    Raises:
        CorruptFrameError: A file is missing, truncated or corrupt.
        ValueError: The files differ in size from each other or from the frames, are colored, hold values
            above 255, or one that the dataset's label table doesn't know.
    """

    paths_key = 'seg_map_paths'
    field = 'gt_sem_seg'
    dtype = np.uint8
    unlabelled = IGNORE_INDEX

    def transform(self, results: dict) -> dict:
        results = super().transform(results)
        results['labelled'] = [path is not None for path in results[self.paths_key]]
        return results

    def read(self, path: str, results: dict) -> np.ndarray:
        labels = self._read_file(path, results)
        if labels.ndim == 2 and labels.dtype == np.uint16 and labels.max() <= 255:
            labels = labels.astype(np.uint8)
        if labels.ndim != 2 or labels.dtype != np.uint8:
            raise ValueError(
                f'{path} of sequence {results["sequence_id"]} is not a label map: expected one '
                'channel of class ids from 0 to 255, or a palette, got shape '
                f'{labels.shape} of {labels.dtype}; is it a color or an instance map? '
                'Write the index of the class into each pixel'
            )
        lut = _lookup_table(results['label_map'])
        return labels if lut is None else _map_labels(labels, lut, path)


def _lookup_table(label_map: dict[int, int] | None) -> np.ndarray | None:
    if label_map is None:
        return None
    lut = np.full(256, _UNKNOWN, np.uint8)
    lut[list(label_map)] = list(label_map.values())
    return lut


def _map_labels(labels: np.ndarray, lut: np.ndarray, path: str) -> np.ndarray:
    mapped = lut[labels]
    unknown = mapped == _UNKNOWN
    if unknown.any():
        raise ValueError(
            f'{path} holds label {labels[unknown][0]}, which the label table of this data set does '
            'not know; is it made for another data set?'
        )
    return mapped
