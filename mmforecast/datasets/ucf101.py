"""UCF101 (Soomro et al., 2012): 13,320 videos of 101 actions, 320x240 at 25 Hz."""

import os

from mmforecast.registry import DATASETS
from mmforecast.utils.checks import check_choice

from .junk_files import visible_names
from .sequence import Sequence
from .text_files import read_lines
from .video.listing import VideoEntry
from .video_folder import VideoFolderDataset

__all__ = ['UCF101Dataset']


@DATASETS.register_module()
class UCF101Dataset(VideoFolderDataset):
    """Clips of UCF101, as it is unpacked.

    Videos are ``<data_root>/UCF-101/<Class>/v_<Class>_g<group>_c<clip>.avi``, and the official lists
    ``<data_root>/ucfTrainTestlist/{train,test}list{01,02,03}.txt``. Upper and lower case don't matter:
    lists and folders differ in it, HandstandPushups and HandStandPushups. Videos that are missing or
    can't be used are left out with a warning; ``unreadable`` has them all.

    Args:
        data_root: Folder of both.
        split: 'train' or 'test'.
        fold: Which of the three official divisions: 1, 2 or 3.
        sampling: 'class': every class is an item, and each time it is loaded one of its videos is
            drawn, and one of that video's windows (training only). Or as for
            :class:`VideoFolderDataset`. Defaults to 'class', and to 'clip' in ``test_mode``.
        data_prefix: ``videos`` and ``lists`` under ``data_root``.
        kwargs: See :class:`VideoFolderDataset`.

    Raises:
        FileNotFoundError: There is no such folder or list.
    """

    samplings = ('class', 'clip', 'video')

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        fold: int = 1,
        sampling: str | None = None,
        data_prefix: dict | None = None,
        test_mode: bool = False,
        **kwargs,
    ):
        check_choice(type(self).__name__, ('train', 'test'), split=split)
        check_choice(type(self).__name__, (1, 2, 3), fold=fold)
        self.list_name = f'{split}list{fold:02d}.txt'
        prefix = dict(videos='UCF-101', lists='ucfTrainTestlist')
        super().__init__(
            data_root=data_root,
            sampling=sampling or ('clip' if test_mode else 'class'),
            data_prefix={**prefix, **(data_prefix or {})},
            test_mode=test_mode,
            **kwargs,
        )

    def find_entries(self) -> list[VideoEntry]:
        root = self.data_prefix['videos']
        list_path = os.path.join(self.data_prefix['lists'], self.list_name)
        for path, there in ((root, os.path.isdir(root)), (list_path, os.path.isfile(list_path))):
            if not there:
                raise FileNotFoundError(
                    f'{type(self).__name__}: no {path}: unpack UCF101.rar and '
                    'UCF101TrainTestSplits-RecognitionTask.zip under data_root, or check data_prefix'
                )
        names = [line.split()[0] for line in read_lines(list_path)]  # a label may follow
        folders = _by_lower_case(root)
        files: dict[str, dict[str, str]] = {}
        entries = []
        for name in names:
            label, _, video = name.partition('/')
            folder = os.path.join(root, folders.get(label.lower(), label))
            if folder not in files:
                files[folder] = _by_lower_case(folder)
            video = files[folder].get(video.lower(), video)
            entries.append(VideoEntry(name, os.path.join(folder, video)))
        return entries

    def group_of(self, sequence: Sequence) -> str:
        if self.sampling == 'class':
            return sequence.id.split('__')[0]
        return super().group_of(sequence)


def _by_lower_case(folder: str) -> dict[str, str]:
    return {name.lower(): name for name in visible_names(folder)}
