"""CamVid (Brostow et al., 2009): consecutive frames of a driving video with a label map on each."""

import logging
import os
import re
from collections import Counter, defaultdict
from itertools import pairwise

from mmengine.logging import print_log

from mmforecast.registry import DATASETS
from mmforecast.utils.checks import check_choice

from .camvid_instances import INSTANCE_SUFFIX
from .junk_files import visible_entries
from .labels import (
    CAMVID_LABEL_TO_CITYSCAPES_TRAIN_ID,
    CAMVID_LABEL_TO_TRAIN_ID,
    CAMVID_METAINFO,
    CITYSCAPES_METAINFO,
)
from .sequence import Sequence, TimeSplit
from .sequence_dataset import BaseSequenceDataset

__all__ = ['CamVidSequenceDataset']

# File names count the frames of the original video.
VIDEO_FPS = 30.0

# The original release has it at the end of the names of label maps.
_LABEL_MARK = '_L'

# One recording, 0006R0, has an f before the frame number.
_IMAGE_NAME = re.compile(r'(?P<recording>.+)_f?(?P<number>\d+)\.(png|jpg|jpeg)$', re.IGNORECASE)


@DATASETS.register_module()
class CamVidSequenceDataset(BaseSequenceDataset):
    """Clips of a folder of CamVid frames, split in time.

    Files are ``<data_root>/images/<recording>_<number>.png``, where the number counts the 30 Hz
    video's frames, and ``<data_root>/labels/<the same name>.png``, or ``<the same
    name>_L.png`` as in the original release, 8 bit: 0 sky, 1 building, 2
    pole, 3 road, 4 pavement, 5 tree, 6 sign, 7 fence, 8 car, 9 pedestrian, 10 bicyclist, 11 void.
    The distance between consecutive numbers that is most common gives the frame rate; where it is
    another one, a new sequence begins.

    A sequence's id is ``<recording>_<first number>``, the same in all splits, so that one
    representation store serves all of them.

    Args:
        data_root: Folder of the dataset.
        split: 'train', the earlier part of each sequence; 'val', the later part; or 'all'. No clip
            crosses the border.
        val_fraction: Part of each sequence's frames that is 'val', in (0, 1).
        label_space: 'camvid', its own 11 classes, or 'cityscapes', the same labels as Cityscapes
            train ids, for models of its 19 classes. ``metainfo`` follows.
        anchor: See :class:`BaseSequenceDataset`; by default a window slides over every sequence.
        data_prefix: ``img_path`` and ``seg_map_path`` under ``data_root``.
        instance_root: Folder that ``tools/dataset_converters/camvid_instances.py`` wrote, with
            ``<recording>_<number>_instanceIds.png``. Its instances are connected components, not
            true ones. None: no instances.
        kwargs: See :class:`BaseSequenceDataset`.

    Raises:
        FileNotFoundError: There are no frames, or no instance maps, where they were looked for.
        ValueError: No label map belongs to a frame.
    """

    METAINFO = CAMVID_METAINFO

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        val_fraction: float = 0.4,
        label_space: str = 'camvid',
        anchor: int | None = None,
        data_prefix: dict | None = None,
        instance_root: str | None = None,
        metainfo: dict | None = None,
        **kwargs,
    ):
        self.time_split = TimeSplit(split, val_fraction)
        check_choice(type(self).__name__, ('camvid', 'cityscapes'), label_space=label_space)
        if anchor == 'annotated':
            raise ValueError("anchor='annotated' does not fit CamVid: all frames are; give a position or None")
        self.instance_root = instance_root
        if label_space == 'cityscapes':
            self.label_map = CAMVID_LABEL_TO_CITYSCAPES_TRAIN_ID
            metainfo = {**CITYSCAPES_METAINFO, **(metainfo or {})}
        else:
            self.label_map = CAMVID_LABEL_TO_TRAIN_ID
        prefix = dict(img_path='images', seg_map_path='labels')
        self._gap = 1
        super().__init__(
            data_root=data_root,
            anchor=anchor,
            data_prefix={**prefix, **(data_prefix or {})},
            metainfo=metainfo,
            **kwargs,
        )

    def load_sequences(self) -> list[Sequence]:
        recordings = self._list_recordings()
        gaps = Counter(b - a for numbers in map(sorted, recordings.values()) for a, b in pairwise(numbers))
        self._gap = gaps.most_common(1)[0][0] if gaps else 1
        self._metainfo['fps'] = VIDEO_FPS / self._gap
        labels = self._list_labels()
        self._check_labels(recordings, labels)
        instances = self._list_instances()
        sequences = []
        for recording in sorted(recordings):
            for numbers in self._runs(recording, sorted(recordings[recording])):
                files = [recordings[recording][number] for number in numbers]
                sequences.append(self._part(files, labels, instances))
        return [sequence for sequence in sequences if len(sequence)]

    def _list_recordings(self) -> dict[str, dict[int, str]]:
        """Recording to frame number to file name."""
        folder = self.data_prefix['img_path']
        pattern = os.path.join(folder, '<recording>_<number>.png')
        if not os.path.isdir(folder):
            raise FileNotFoundError(
                f'{type(self).__name__}: no folder {folder}; frames are looked for as {pattern}: '
                'check data_root and data_prefix'
            )
        recordings: dict[str, dict[int, str]] = defaultdict(dict)
        for entry in visible_entries(folder):
            match = _IMAGE_NAME.match(entry.name)
            if match:
                recordings[match['recording']][int(match['number'])] = entry.name
        if not recordings:
            raise FileNotFoundError(
                f'{type(self).__name__}: no frames {pattern}: check data_root and data_prefix'
            )
        return recordings

    def _list_labels(self) -> dict[str, str]:
        """Frame name to path of its label map."""
        folder = self.data_prefix['seg_map_path']
        paths = [entry.path for entry in visible_entries(folder)]
        labels = {_label_stem(path): path for path in paths if path.lower().endswith('.png')}
        if not labels:
            print_log(
                f'{type(self).__name__}: no label maps {os.path.join(folder, "*.png")}: clips carry no labels',
                logger='current',
                level=logging.WARNING,
            )
        return labels

    def _check_labels(self, recordings: dict[str, dict[int, str]], labels: dict[str, str]) -> None:
        """Refuse label maps of which none belongs to a frame."""
        names = {_stem(file) for frames in recordings.values() for file in frames.values()}
        if labels and not names & set(labels):
            raise ValueError(
                f'{type(self).__name__}: none of the {len(labels)} label maps in '
                f'{self.data_prefix["seg_map_path"]} belongs to a frame in {self.data_prefix["img_path"]}: '
                f'{os.path.basename(next(iter(labels.values())))} must be named as its frame, or as its frame '
                f'with {_LABEL_MARK} after it, and frames are named as {min(names)}'
            )

    def _list_instances(self) -> dict[str, str]:
        """Frame name to path of its instance map; empty without ``instance_root``."""
        folder = self.instance_root
        if folder is None:
            return {}
        paths = [entry.path for entry in visible_entries(folder)]
        instances = {
            os.path.basename(path)[: -len(INSTANCE_SUFFIX)]: path
            for path in paths
            if path.endswith(INSTANCE_SUFFIX)
        }
        if not instances:
            raise FileNotFoundError(
                f'{type(self).__name__}: no instance maps '
                f'{os.path.join(folder, "*" + INSTANCE_SUFFIX)}: write them with '
                'tools/dataset_converters/camvid_instances.py, or set instance_root=None'
            )
        return instances

    def _runs(self, recording: str, numbers: list[int]) -> list[list[int]]:
        """Cut where frames are missing."""
        runs = [[numbers[0]]]
        for number in numbers[1:]:
            if number - runs[-1][-1] == self._gap:
                runs[-1].append(number)
            else:
                runs.append([number])
        if len(runs) > 1:
            print_log(
                f'{type(self).__name__}: recording {recording} in {self.data_prefix["img_path"]} '
                f'lacks frames in {len(runs) - 1} places, first between {runs[0][-1]} and '
                f'{runs[1][0]} (frames are {self._gap} numbers apart): a new sequence begins '
                'after each',
                logger='current',
                level=logging.WARNING,
            )
        return runs

    def _part(self, files: list[str], labels: dict[str, str], instances: dict[str, str]) -> Sequence:
        """The split's part of one run of frames."""
        part = self.time_split.part_of(len(files))
        names = [_stem(file) for file in files]
        return Sequence(
            id=names[0],
            frame_names=names[part],
            image_paths=[os.path.join(self.data_prefix['img_path'], file) for file in files[part]],
            seg_map_paths=[labels.get(name) for name in names[part]] if labels else None,
            instance_paths=[instances.get(name) for name in names[part]] if instances else None,
        )


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _label_stem(path: str) -> str:
    """The name of the frame that a label map belongs to."""
    return _stem(path).removesuffix(_LABEL_MARK)
