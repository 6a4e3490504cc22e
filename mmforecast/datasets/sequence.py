"""Sequences, which clips are cut out of: consecutive frames with their labels."""

from bisect import bisect_right
from collections.abc import Sequence as SequenceType
from dataclasses import dataclass

from mmforecast.utils.checks import check_between, check_choice

__all__ = ['Sequence', 'TimeSplit']

_SPLITS = ('train', 'val', 'all')


@dataclass
class Sequence:
    """Consecutive frames of one camera, at the dataset's frame rate, oldest first.

    Attributes:
        id: Unique in the dataset, and usable as a file name.
        frame_names: Unique in the sequence.
        image_paths: One per frame: an image file, or a frame of a video, as ``clip.mp4#12``.
        seg_map_paths: One per frame, None for a frame without labels; None altogether where no
            frame has any.
        instance_paths: Likewise.
        flow_paths: One per frame, its flow to the next frame; None for a frame without, None altogether where
            no frame has any.
        depth_paths: One per frame, its map of depth or disparity; None as for ``flow_paths``.
        annotated_index: Position of the frame that the dataset annotates, if there is one.
        fps: Frames per second, where it isn't the dataset's.
        times: Seconds of each frame after the start of its recording; None where only ``fps`` is known.
        breaks: Ascending positions of frames that do not follow the one before: no clip goes over them.
    """

    id: str
    frame_names: SequenceType[str]
    image_paths: SequenceType[str]
    seg_map_paths: list[str | None] | None = None
    instance_paths: list[str | None] | None = None
    flow_paths: list[str | None] | None = None
    depth_paths: list[str | None] | None = None
    annotated_index: int | None = None
    fps: float | None = None
    times: SequenceType[float] | None = None
    breaks: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.frame_names)

    def is_whole(self, first: int, last: int) -> bool:
        """Whether no break lies between two positions."""
        return bisect_right(self.breaks, first) == bisect_right(self.breaks, last)


@dataclass(frozen=True)
class TimeSplit:
    """A part of every sequence, cut in time.

    Attributes:
        name: 'train', the earlier part; 'val', the later part; or 'all'.
        val_fraction: Part of the frames that is 'val', in (0, 1).

    Raises:
        ValueError: Either is something else.
    """

    name: str
    val_fraction: float

    def __post_init__(self):
        check_choice(type(self).__name__, _SPLITS, split=self.name)
        check_between(type(self).__name__, 0, 1, val_fraction=self.val_fraction)

    def part_of(self, length: int) -> slice:
        """The split's frames of a sequence of so many."""
        border = length - round(length * self.val_fraction)
        return dict(train=slice(0, border), val=slice(border, None), all=slice(None))[self.name]
