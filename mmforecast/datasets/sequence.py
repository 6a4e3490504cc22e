"""What a clip is cut out of: consecutive frames with their labels."""

from collections.abc import Sequence as SequenceType
from dataclasses import dataclass

__all__ = ['Sequence']


@dataclass
class Sequence:
    """Consecutive frames of one camera, at the data set's frame rate, oldest first.

    Attributes:
        id: Unique in the data set, and usable as a file name.
        frame_names: Unique in the sequence.
        image_paths: One per frame: an image file, or a frame of a video, as ``clip.mp4#12``.
        seg_map_paths: One per frame, None for a frame without labels; None altogether where no
            frame has any.
        instance_paths: Likewise.
        annotated_index: Position of the frame that the data set annotates, if there is one.
        fps: Frames per second, where it isn't the data set's.
    """

    id: str
    frame_names: SequenceType[str]
    image_paths: SequenceType[str]
    seg_map_paths: list[str | None] | None = None
    instance_paths: list[str | None] | None = None
    annotated_index: int | None = None
    fps: float | None = None

    def __len__(self) -> int:
        return len(self.frame_names)
