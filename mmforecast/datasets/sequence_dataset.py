"""The one clip dataset: every item is a clip of a sequence of frames."""

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.logging import print_log

from mmforecast.registry import TRANSFORMS
from mmforecast.utils.addresses import is_address
from mmforecast.utils.checks import check_positive

from .clip_layout import ClipLayout
from .corrupt_files import CorruptFileError, CorruptFilePolicy
from .sequence import Sequence

__all__ = ['BaseSequenceDataset']


class BaseSequenceDataset(CorruptFilePolicy, BaseDataset):
    """Clips of ``num_past + num_future`` frames, ``stride`` frames apart.

    A subclass implements :meth:`load_sequences`, and sets ``label_map`` where its label files don't
    hold train ids. An item starts its pipeline as the results dict of ``docs/design.md``.

    Args:
        data_root: Folder of the dataset.
        num_past: Input frames.
        num_future: Frames to forecast; 0 for inference without a known future.
        stride: Frames from one clip frame to the next; ``(low, high)`` draws it anew in [low, high]
            each time a clip is loaded (training only), among those for which the clip fits.
        anchor: Which frame of the sequence the clip's ``anchor_step`` is: 'annotated', a 0-based
            position, or None for a window that slides over the whole sequence.
        anchor_step: Future step that lies on the anchor: -1 is the last one.
        clip_step: Frames from one sliding clip to the next.
        on_corrupt: What a file that can't be read does: 'raise' stops, 'skip' takes another clip
            instead and logs the file once per process. Defaults to 'raise' in ``test_mode``, where
            nothing else is possible, and to 'skip' in training.
        data_prefix: Folders of images and labels under ``data_root``.
        pipeline: Transforms, as configs or callables.

    The others are those of :class:`mmengine.dataset.BaseDataset`.

    Attributes:
        reads_addresses: Whether ``data_root`` may be an address of a storage (s3, gs, ...).
        unreadable: Files that :meth:`load_sequences` had to leave out, with the reason of each.

    Raises:
        ValueError: An argument is out of range, or no sequence is long enough for a clip.
    """

    item_name = 'clip'
    reads_addresses = False
    label_map: dict[int, int] | None = None

    def __init__(
        self,
        data_root: str,
        num_past: int = 4,
        num_future: int = 3,
        stride: int | tuple[int, int] = 3,
        anchor: str | int | None = 'annotated',
        anchor_step: int = -1,
        clip_step: int = 1,
        on_corrupt: str | None = None,
        data_prefix: dict | None = None,
        metainfo: dict | None = None,
        pipeline: tuple[dict | Callable, ...] = (),
        test_mode: bool = False,
        indices: int | list[int] | None = None,
        lazy_init: bool = False,
        serialize_data: bool = True,
        max_refetch: int = 1000,
    ):
        if is_address(os.fspath(data_root or '')) and not self.reads_addresses:
            raise ValueError(
                f'{type(self).__name__} reads local files, and data_root is an address, {data_root}: '
                'mount the storage, or copy the data'
            )
        self.layout = ClipLayout(num_past, num_future, anchor_step)
        self.strides = _stride_range(stride, test_mode)
        if not (anchor is None or anchor == 'annotated' or isinstance(anchor, int) and anchor >= 0):
            raise ValueError(f"anchor must be 'annotated', a frame position >= 0 or None, got {anchor!r}")
        check_positive(type(self).__name__, clip_step=clip_step)
        self.anchor = anchor
        self.clip_step = clip_step
        self.set_on_corrupt(on_corrupt, test_mode)
        self.unreadable: dict[str, str] = {}
        self._sequences: list[Sequence] = []
        super().__init__(
            metainfo=metainfo,
            data_root=data_root,
            data_prefix=data_prefix or {},
            # Built here, so that our transforms need no prefix where no default scope is set.
            pipeline=[TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline],
            test_mode=test_mode,
            indices=indices,
            lazy_init=lazy_init,
            serialize_data=serialize_data,
            max_refetch=max_refetch,
        )

    def _join_prefix(self) -> None:
        """Join ``data_root`` and ``data_prefix``: addresses as text, as mmengine knows few storages."""
        root = os.fspath(self.data_root or '')
        if not is_address(root):
            super()._join_prefix()
            return
        for name, prefix in self.data_prefix.items():
            if not (is_address(prefix) or os.path.isabs(prefix)):
                self.data_prefix[name] = f'{root.rstrip("/")}/{prefix}'

    def load_sequences(self) -> list[Sequence]:
        """Find the dataset's sequences, in a fixed order."""
        raise NotImplementedError(f'{type(self).__name__} must implement load_sequences()')

    @property
    @force_full_init
    def fps(self) -> float | None:
        """Frames per second of the sequences; None where it is unknown, or not the same in all."""
        return self._metainfo['fps']

    @property
    @force_full_init
    def sequences(self) -> list[Sequence]:
        """All sequences, those too short for a clip included."""
        return self._sequences

    @force_full_init
    def frames_in_use(self) -> list[tuple[Sequence, list[int]]]:
        """The frames that any clip can take: per sequence in use, sorted 0-based positions.

        What must be computed when representations are stored ahead of training.
        """
        used: dict[int, set] = {}
        for idx in range(len(self)):
            for clip in self._clips_of(super().get_data_info(idx)):
                for stride in self._fitting_strides(clip):
                    used.setdefault(clip['sequence'], set()).update(
                        self.layout.indices(clip['anchor'], stride)
                    )
        return [(self._sequences[number], sorted(frames)) for number, frames in sorted(used.items())]

    def load_data_list(self) -> list[dict]:
        """One entry per clip: the number of its sequence, and its anchor frame."""
        self._sequences = self.load_sequences()
        clips, too_short = [], []
        for number, sequence in enumerate(self._sequences):
            anchors = self._anchors(sequence)
            if not anchors:
                too_short.append(f'{sequence.id} ({len(sequence)} frames)')
            clips.extend(dict(sequence=number, anchor=anchor) for anchor in anchors)
        if not clips:
            raise ValueError(
                f'{type(self).__name__}: no clip fits: {self._need()}, but {self._longest()}; '
                'lower num_past, num_future or stride, or choose another anchor'
                + _listed('; these files cannot be used: ', self._unreadable_files())
            )
        if too_short or self.unreadable:
            self._warn_of(too_short)
        return clips

    def _warn_of(self, too_short: list[str]) -> None:
        """One warning for all that is left out."""
        reasons = [
            _listed(f'{self._need()}: ', too_short),
            _listed('', self._unreadable_files(), most=10),
        ]
        print_log(
            f'{type(self).__name__}: left out {len(too_short) + len(self.unreadable)} of '
            f'{len(self._sequences) + len(self.unreadable)} sequences: ' + '; '.join(filter(None, reasons)),
            logger='current',
            level=logging.WARNING,
        )

    def _unreadable_files(self) -> list[str]:
        return [f'{path} {reason}' for path, reason in self.unreadable.items()]

    def get_data_info(self, idx: int) -> dict:
        """The results dict that clip ``idx`` starts its pipeline with, at the smallest stride."""
        clip = next(self._clips_of(super().get_data_info(idx)))
        return self._describe(clip, self.strides[0])

    def prepare_data(self, idx: int) -> Any:
        """Clip ``idx`` through the pipeline; None where a corrupt file makes it be skipped."""
        clip = self._draw_clip(super().get_data_info(idx))
        strides = self._fitting_strides(clip)
        stride = strides[0] if len(strides) == 1 else int(np.random.choice(strides))
        try:
            return self.pipeline(self._describe(clip, stride))
        except CorruptFileError as error:
            if not self.skips(error):
                raise
            return None

    def _clips_of(self, item: dict) -> Iterator[dict]:
        """All clips that an item can be, in a fixed order: just itself, unless a subclass samples."""
        yield item

    def _draw_clip(self, item: dict) -> dict:
        """One of :meth:`_clips_of`, drawn from the global generators."""
        return item

    def _describe(self, clip: dict, stride: int) -> dict:
        sequence = self._sequences[clip['sequence']]
        frames = self.layout.indices(clip['anchor'], stride)

        def of_frames(paths):
            return [paths[frame] for frame in frames] if paths else [None] * len(frames)

        return dict(
            sample_idx=clip['sample_idx'],
            sequence_id=sequence.id,
            frame_indices=frames,
            frame_names=of_frames(sequence.frame_names),
            num_past=self.layout.num_past,
            num_future=self.layout.num_future,
            stride=stride,
            fps=sequence.fps or self._metainfo['fps'],
            img_paths=of_frames(sequence.image_paths),
            frame_times=None if sequence.times is None else [float(sequence.times[n]) for n in frames],
            seg_map_paths=of_frames(sequence.seg_map_paths),
            instance_paths=of_frames(sequence.instance_paths),
            depth_paths=of_frames(sequence.depth_paths),
            motion_paths=self._motion_paths(sequence, frames),
            label_map=self.label_map,
        )

    def _motion_paths(self, sequence: Sequence, frames: list[int]) -> list[str | None]:
        """Flow of every frame from the clip's newest observed one to the one before its last."""
        newest = frames[self.layout.num_past - 1]
        return (sequence.flow_paths or [None] * len(sequence))[newest : frames[-1]]

    def _anchors(self, sequence: Sequence) -> list[int]:
        if self.anchor is None:
            anchors = self.layout.sliding_anchors(len(sequence), self.strides[0], self.clip_step)
            return [anchor for anchor in anchors if self._is_whole(sequence, anchor, self.strides[0])]
        anchor = sequence.annotated_index if self.anchor == 'annotated' else self.anchor
        fits = anchor is not None and self.layout.fits(anchor, self.strides[0], len(sequence))
        return [anchor] if fits and self._is_whole(sequence, anchor, self.strides[0]) else []

    def _fitting_strides(self, clip: dict) -> list[int]:
        low, high = self.strides
        sequence, anchor = self._sequences[clip['sequence']], clip['anchor']
        strides = [s for s in range(low, high + 1) if self.layout.fits(anchor, s, len(sequence))]
        return [stride for stride in strides if self._is_whole(sequence, anchor, stride)]

    def _is_whole(self, sequence: Sequence, anchor: int, stride: int) -> bool:
        """Whether a clip goes over no break."""
        if not sequence.breaks:
            return True
        frames = self.layout.indices(anchor, stride)
        return sequence.is_whole(frames[0], frames[-1])

    def _need(self) -> str:
        before, after = self.layout.margins(self.strides[0])
        layout = self.layout
        clip = f'num_past={layout.num_past}, num_future={layout.num_future}, stride={self.strides[0]}'
        if self.anchor is None:
            return f'{clip} needs {before + after + 1} frames'
        anchor = 'the annotated one' if self.anchor == 'annotated' else f'frame {self.anchor} (0-based)'
        return f'{clip} needs {before + 1} frames up to {anchor}' + (f' and {after} after it' if after else '')

    def _longest(self) -> str:
        if not self._sequences:
            return 'no sequence was found'
        longest = max(self._sequences, key=len)
        text = f'the longest of {len(self._sequences)} sequences, {longest.id}, has {len(longest)}'
        if longest.breaks:
            text += f' in {len(longest.breaks) + 1} parts, between which frames are missing,'
        if self.anchor == 'annotated':
            annotated = [seq.annotated_index for seq in self._sequences if seq.annotated_index is not None]
            text += (
                f' and no more than {max(annotated) + 1} lie up to an annotated one'
                if annotated
                else ' and none has an annotated frame'
            )
        return text


def _listed(title: str, names: list[str], most: int = 3) -> str:
    """The first of these names after a title; empty where there are none."""
    return title + ', '.join(names[:most]) + (', ...' if len(names) > most else '') if names else ''


def _stride_range(stride: int | tuple[int, int], test_mode: bool) -> tuple[int, int]:
    low, high = (stride, stride) if isinstance(stride, int) else stride
    if not 1 <= low <= high:
        raise ValueError(f'stride must be an int >= 1 or a pair 1 <= low <= high, got {stride!r}')
    if test_mode and low != high:
        raise ValueError(f'stride must be one int in test_mode, where a clip must not change, got {stride!r}')
    return low, high
