"""The frames of UCF101 that multi-scale video prediction (arXiv 1511.05440) is tested on."""

import os

from mmforecast.registry import DATASETS

from .junk_files import visible_names
from .sequence import Sequence
from .sequence_dataset import BaseSequenceDataset

__all__ = ['UCF101TestFramesDataset']

_PAST = tuple(f'pred_{number}' for number in (1, 2, 3, 4))
_FUTURE = ('target_1', 'target_2')
# The flow from each of these frames to the next, as a color-coded picture.
_FLOW = dict(pred_4='pred_4_flow', target_1='target_1_flow')


@DATASETS.register_module()
class UCF101TestFramesDataset(BaseSequenceDataset):
    """The authors' own cut of every tenth UCF101 test video: one clip each.

    The folders ``<data_root>/1``, ``11``, ``21``, ... hold ``pred_1.png`` to ``pred_4.png``, the frames to
    forecast from; ``target_1.png`` and ``target_2.png``, the frames to forecast; and ``pred_4_flow.png``
    and ``target_1_flow.png``, the optical flow into each of those. Source: the release
    of arXiv 1511.05440.

    Clips have ``flow_paths`` besides, one per future step, None where there is no flow:
    :class:`LoadMotionMasks` reads them.

    Args:
        data_root: Folder of the numbered folders.
        num_past: The last so many of the four input frames.
        num_future: 1 or 2, or 0.
        fps: Frames per second of the videos.
        kwargs: See :class:`BaseSequenceDataset`.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: An argument is out of range, or there is no whole clip.
    """

    METAINFO = dict(fps=25.0)

    def __init__(
        self,
        data_root: str,
        num_past: int = 4,
        num_future: int = 2,
        **kwargs,
    ):
        if not 1 <= num_past <= 4:
            raise ValueError(f'num_past must be 1 to 4, the frames there are, got {num_past}')
        if not 0 <= num_future <= 2:
            raise ValueError(f'num_future must be 0 to 2, the frames there are, got {num_future}')
        super().__init__(
            data_root=data_root,
            num_past=num_past,
            num_future=num_future,
            stride=1,
            anchor=len(_PAST) if num_future else len(_PAST) - 1,
            anchor_step=0 if num_future else -1,
            **kwargs,
        )

    def load_sequences(self) -> list[Sequence]:
        root = self.data_root
        numbers = sorted((name for name in visible_names(root) if name.isdecimal()), key=int)
        if not numbers:
            raise FileNotFoundError(
                f'{type(self).__name__}: no clips {os.path.join(root, "<number>", "pred_1.png")}: '
                'unpack the test frames there, or check data_root'
            )
        sequences = []
        for number in numbers:
            there = set(visible_names(os.path.join(root, number)))
            lacking = [name for name in (*_PAST, _FUTURE[0]) if f'{name}.png' not in there]
            if lacking:
                self.unreadable[number] = f'lacks {", ".join(lacking)}'
                continue
            frames = [name for name in (*_PAST, *_FUTURE) if f'{name}.png' in there]
            paths = [os.path.join(root, number, f'{name}.png') for name in frames]
            sequences.append(Sequence(number, frames, paths))
        return sequences

    def _describe(self, clip: dict, stride: int) -> dict:
        results = super()._describe(clip, stride)
        before_each = results['frame_names'][results['num_past'] - 1 : -1]
        folder = os.path.join(self.data_root, results['sequence_id'])
        paths = [os.path.join(folder, f'{_FLOW[name]}.png') for name in before_each]
        results['flow_paths'] = [path if os.path.isfile(path) else None for path in paths]
        return results
