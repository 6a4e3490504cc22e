"""Clips of any folder of videos: video files, and folders of frames."""

import logging
from collections.abc import Sequence as SequenceType

import numpy as np
from mmengine.logging import print_log

from mmforecast.registry import DATASETS
from mmforecast.utils.checks import check_above, check_at_least, check_choice

from .sequence import Sequence, TimeSplit
from .sequence_dataset import BaseSequenceDataset
from .video import VideoError
from .video.listing import VideoEntry, find_videos, read_entries
from .video.sources import Source, open_sources

__all__ = ['VideoFolderDataset']


@DATASETS.register_module()
class VideoFolderDataset(BaseSequenceDataset):
    """Clips of the videos under a folder, at any depth, split in time.

    A video is a file (see ``VIDEO_SUFFIXES``) or a folder of frames (see ``IMAGE_SUFFIXES`` of
    :mod:`~mmforecast.datasets.video.listing`, in natural order: frame2 before frame10, t0.05 before t0.1;
    see :func:`~mmforecast.datasets.video.frame_names.arrange_frames`). Where the numbers of frames have
    gaps, no clip goes over them. Its sequence id is its path under ``data_root`` with
    ``__`` for ``/``, the same in all splits. Frames are RGB, also those of gray videos. Videos may
    differ in size, but the frames of one may not.

    Files that can't be used are left out, with one warning that names them: truncated, damaged, without
    a frame, missing, and folders of frames of several sizes. So are videos too short for a clip.

    Videos have their own frame rates; ``stride`` counts frames. Where they differ, ``fps`` of the data
    set is None, a warning says so, and each clip carries its video's.

    Args:
        data_root: Folder of the videos.
        videos: Paths under ``data_root``, or a text file with one on each line (empty lines and those
            that begin with # are skipped): a named split. ``clip.mp4 20:150`` takes frames 20 to 149
            of a video. None: all that are found.
        split: 'train', the earlier part of each video; 'val', the later part; or 'all'. No clip
            crosses the border.
        val_fraction: Part of each video's frames that is 'val', in (0, 1).
        frame_fps: Frames per second of folders of frames; None: unknown.
        sampling: 'clip': every window is an item. 'video': every video is one, and each time it is
            loaded one of its windows is drawn, all equally likely (training only).
        drop_repeats: Leave out a frame whose mean squared difference from the last one kept, of pixels
            in [-1, 1], is at most this. Conversion from a lower frame rate repeats frames, and who
            forecasts a repeated frame need only copy. Decodes every video once at the start; ``fps``
            becomes the mean rate of what is left. None: keep all.
        anchor: See :class:`BaseSequenceDataset`; by default a window slides over every video.
        stride: Likewise.
        kwargs: See :class:`BaseSequenceDataset`.

    Raises:
        FileNotFoundError: There is no such folder or list.
        ValueError: An argument is out of range, or there is no clip.
    """

    METAINFO = dict(fps=None)
    samplings = ('clip', 'video')

    def __init__(
        self,
        data_root: str,
        videos: str | SequenceType[str] | None = None,
        split: str = 'all',
        val_fraction: float = 0.4,
        frame_fps: float | None = None,
        sampling: str = 'clip',
        drop_repeats: float | None = None,
        anchor: int | None = None,
        stride: int | tuple[int, int] = 1,
        test_mode: bool = False,
        **kwargs,
    ):
        self.time_split = TimeSplit(split, val_fraction)
        owner = type(self).__name__
        check_choice(owner, self.samplings, sampling=sampling)
        if frame_fps is not None:
            check_above(owner, 0, frame_fps=frame_fps)
        if drop_repeats is not None:
            check_at_least(owner, 0, drop_repeats=drop_repeats)
        if test_mode and sampling != 'clip':
            raise ValueError(f"sampling={sampling!r} draws clips anew each time: test_mode needs 'clip'")
        if anchor == 'annotated':
            raise ValueError("anchor='annotated' does not fit videos: give a position or None")
        self.videos = videos
        self.frame_fps = frame_fps
        self.sampling = sampling
        self.drop_repeats = drop_repeats
        self._groups: list[list[int]] = []
        super().__init__(data_root=data_root, anchor=anchor, stride=stride, test_mode=test_mode, **kwargs)

    def load_sequences(self) -> list[Sequence]:
        entries = self.find_entries()
        sequences = []
        for entry, source in zip(entries, open_sources(entries, self.drop_repeats)):
            if isinstance(source, VideoError):
                self.unreadable[entry.name] = str(source)
            else:
                sequences.append(self._part(entry, source))
        self._settle_fps(sequences)
        return sequences

    def find_entries(self) -> list[VideoEntry]:
        """The videos of the dataset, those that can't be used included, in a fixed order."""
        if self.videos is None:
            return find_videos(self.data_root)
        return read_entries(self.data_root, self.videos)

    def group_of(self, sequence: Sequence) -> str:
        """Sequences of one group are one item, unless ``sampling`` is 'clip'."""
        return sequence.id

    def load_data_list(self) -> list[dict]:
        clips = super().load_data_list()
        if self.sampling == 'clip':
            return clips
        groups: dict[str, dict[int, None]] = {}
        for number in dict.fromkeys(clip['sequence'] for clip in clips):
            groups.setdefault(self.group_of(self._sequences[number]), {})[number] = None
        self._groups = [list(numbers) for numbers in groups.values()]
        return [dict(group=group) for group in range(len(self._groups))]

    def _clips_of(self, item: dict):
        if 'group' not in item:
            yield item
            return
        for number in self._groups[item['group']]:
            for anchor in self._anchors(self._sequences[number]):
                yield dict(item, sequence=number, anchor=anchor)

    def _draw_clip(self, item: dict) -> dict:
        if 'group' not in item:
            return item
        numbers = self._groups[item['group']]
        number = numbers[np.random.randint(len(numbers))]
        anchors = self._anchors(self._sequences[number])
        return dict(item, sequence=number, anchor=anchors[np.random.randint(len(anchors))])

    def _part(self, entry: VideoEntry, source: Source) -> Sequence:
        """The split's part of a video."""
        part = self.time_split.part_of(len(source))
        first, stop, _ = part.indices(len(source))
        return Sequence(
            id=entry.sequence_id,
            frame_names=source.names[part],
            image_paths=source.paths[part],
            fps=source.fps or self.frame_fps,
            times=None if source.times is None else source.times[part],
            breaks=tuple(place - first for place in source.breaks if first < place < stop),
        )

    def _settle_fps(self, sequences: list[Sequence]) -> None:
        rates = {sequence.fps for sequence in sequences}
        self._metainfo['fps'] = rates.pop() if len(rates) == 1 else None
        if len(rates) > 1:
            known = [rate for rate in rates if rate]
            print_log(
                f'{type(self).__name__}: the videos of {self.data_root} have different frame rates '
                f'({min(known):.4g} to {max(known):.4g} Hz'
                f'{", some unknown" if len(known) < len(rates) else ""}): stride counts frames, and '
                'each clip carries its own fps',
                logger='current',
                level=logging.WARNING,
            )
