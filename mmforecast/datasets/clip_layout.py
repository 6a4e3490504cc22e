"""The index arithmetic of a clip: which frames of a sequence it takes."""

from dataclasses import dataclass

from mmforecast.utils.checks import check_integer, check_positive

__all__ = ['ClipLayout']


@dataclass(frozen=True)
class ClipLayout:
    """``num_past + num_future`` frames, placed by one of them: the anchor.

    Args:
        num_past: Input frames, at least 1.
        num_future: Frames to forecast, at least 0.
        anchor_step: Which future step the anchor is: 0 is the first one, -1 the last one. With
            ``num_future=0`` the anchor is the last input and ``anchor_step`` must be -1.
    """

    num_past: int
    num_future: int
    anchor_step: int = -1

    def __post_init__(self):
        check_positive(type(self).__name__, num_past=self.num_past)
        check_integer(type(self).__name__, 0, num_future=self.num_future)
        if not -max(self.num_future, 1) <= self.anchor_step < max(self.num_future, 0):
            raise ValueError(
                f'anchor_step must be a future step in [{-max(self.num_future, 1)}, '
                f'{self.num_future}), got {self.anchor_step}'
            )

    @property
    def num_frames(self) -> int:
        return self.num_past + self.num_future

    @property
    def anchor_position(self) -> int:
        """The anchor's position in the clip, in [0, num_frames)."""
        if self.anchor_step < 0:
            return self.num_frames + self.anchor_step
        return self.num_past + self.anchor_step

    def margins(self, stride: int) -> tuple[int, int]:
        """Frames of the sequence that a clip needs before its anchor, and after it."""
        return self.anchor_position * stride, (self.num_frames - 1 - self.anchor_position) * stride

    def fits(self, anchor: int, stride: int, length: int) -> bool:
        """Whether the clip lies inside a sequence of ``length`` frames."""
        before, after = self.margins(stride)
        return before <= anchor < length - after

    def indices(self, anchor: int, stride: int) -> list[int]:
        """The clip's frames, oldest first, as 0-based positions in the sequence."""
        first = anchor - self.margins(stride)[0]
        return [first + step * stride for step in range(self.num_frames)]

    def sliding_anchors(self, length: int, stride: int, clip_step: int) -> list[int]:
        """Anchors of every clip that fits, with first frames 0, clip_step, 2 * clip_step, ..."""
        before, after = self.margins(stride)
        return list(range(before, length - after, clip_step))
