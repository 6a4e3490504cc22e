"""Units of work: a video, or a stretch of a long one."""

import hashlib
import os
import re
from dataclasses import dataclass, field, replace

from mmforecast.fileio.remote import file_name
from mmforecast.utils.addresses import is_address
from mmforecast.utils.checks import check_integer, check_positive

__all__ = ['Shard', 'Unit', 'split_moments']

_MAX_NAME = 60


@dataclass(frozen=True)
class Unit:
    """Forecasts of a video, or of a stretch of it, which one process makes.

    Args:
        video: Path or address, as it is named in results.
        start: The first frame that a stretch forecasts at, 0-based; None for the whole video.
        stop: Its forecasts are made before this frame.
        number: Position of the video among the inputs.
        plan_only: Only say how the video is split.
    """

    video: str
    start: int | None = None
    stop: int | None = None
    number: int = field(default=0, compare=False)
    plan_only: bool = field(default=False, compare=False)

    @property
    def whole(self) -> bool:
        """Whether it is the whole video."""
        return self.start is None

    @property
    def title(self) -> str:
        """What sentences call it."""
        return self.video

    @property
    def name(self) -> str:
        """Name of its files: unlike that of any other unit, and a valid file name on every system."""
        remote = is_address(self.video)
        path = self.video if remote else os.path.abspath(self.video)
        stem = os.path.splitext(file_name(path) if remote else os.path.basename(path))[0]
        readable = re.sub(r'[^A-Za-z0-9_-]+', '_', stem).strip('_')[:_MAX_NAME] or 'video'
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
        stretch = '' if self.whole else f'-{self.start:07d}-{self.stop:07d}'
        return f'{readable}-{digest}{stretch}'

    def stretch(self, start: int, stop: int) -> 'Unit':
        """A stretch of the same video."""
        return replace(self, start=start, stop=stop, plan_only=False)


@dataclass(frozen=True)
class Shard:
    """The part of a batch that one of several commands does, without any word between them.

    Args:
        index: From 1 to ``count``.
        count: Number of commands.
        spread: Whether the stretches of a video go to different commands; each of them then opens every
            video to count its frames.
    """

    index: int = 1
    count: int = 1
    spread: bool = False

    def __post_init__(self):
        check_positive('Shard', count=self.count)
        check_integer('Shard', 1, self.count, index=self.index)

    def owns(self, video: int, stretch: int = 0) -> bool:
        """Whether it does a stretch, by its position in the video, and that of the video among the inputs."""
        position = video + stretch if self.spread else video
        return position % self.count == self.index - 1

    @property
    def suffix(self) -> str:
        """What the names of its files end with."""
        return '' if self.count == 1 else f'-{self.index}-of-{self.count}'


def split_moments(
    moments: range, num_frames: int, ahead: int, unit_frames: int, batch_size: int = 1
) -> list[tuple[int, int]]:
    """The stretches of a video, as (first frame that is forecast at, stop).

    Every stretch but the last holds whole batches, and only the last one holds forecasts whose future is
    not all in the video. Batches are then those of the unsplit video, and so is every result.

    Args:
        moments: Frames that are forecast at.
        num_frames: Frames of the video.
        ahead: Frames from a moment to the last step of its forecast.
        unit_frames: Frames of a stretch, about.
        batch_size: Forecasts of a batch.

    Returns:
        One stretch or more, without gaps; each has a forecast at least.
    """
    check_positive('split_moments', unit_frames=unit_frames, batch_size=batch_size)
    length = max(1, unit_frames // moments.step // batch_size) * batch_size
    with_future = len(range(moments.start, min(moments.stop, num_frames - ahead), moments.step))
    cuts = [moments[place] for place in range(length, with_future, length)]
    return list(zip([moments[0], *cuts], [*cuts, moments[-1] + 1], strict=True))
