"""Cityscapes video (Cordts et al., CVPR 2016): snippets of 30 frames, the 20th annotated."""

import logging
import os
from collections import defaultdict
from collections.abc import Sequence as SequenceType
from itertools import pairwise

from mmengine.logging import print_log

from mmforecast.registry import DATASETS
from mmforecast.structures.cityscapes import CITYSCAPES_LABEL_TO_TRAIN_ID, CITYSCAPES_METAINFO
from mmforecast.utils.checks import check_choice

from .file_access import CorruptFrameError, find_tree, list_tree
from .sequence_dataset import BaseSequenceDataset, Sequence

__all__ = ['CityscapesSequenceDataset', 'cut_snippets']

# 0-based position of the annotated frame in its snippet.
ANNOTATED_INDEX = 19

_IMAGE_SUFFIX = '_leftImg8bit.png'
_FLOW_SUFFIX = '_flow.png'
_LABEL_SUFFIXES = {kind: f'_gtFine_{kind}.png' for kind in ('labelIds', 'labelTrainIds', 'instanceIds')}
_LABEL_KINDS = ('auto', 'labelIds', 'labelTrainIds')


def cut_snippets(numbers: list[int], annotated: list[int], length: int | None = 30) -> list[tuple]:
    """Cut the frames of one recording into snippets.

    Most cities number every snippet's frames from 0. A few hold long recordings, whose frame
    numbers go on from snippet to snippet: there the annotated frames tell where snippets begin,
    ``ANNOTATED_INDEX`` frames earlier. Where there are no labels, or every frame has them (made
    data), snippets begin at the first frame and then every ``length`` frames.

    Args:
        numbers: Frame numbers, sorted.
        annotated: Those with labels, sorted.
        length: Frames of a snippet, more than ``ANNOTATED_INDEX``. None cuts at missing frames
            only; of a stretch with several annotated frames none then counts as the annotated one.

    Returns:
        One (numbers, annotated number or None) per snippet, by first number. Snippets around two
        annotated frames that are close to each other share frames.
    """
    if not numbers:
        return []
    if length is None:
        return [(run, _only_one_in(run, annotated)) for run in _consecutive_runs(numbers)]
    sparse = bool(annotated) and all(b - a > 1 for a, b in pairwise(annotated))
    starts = [number - ANNOTATED_INDEX for number in annotated] if sparse else []
    snippets = []
    for number, start in zip(annotated, starts):
        snippets.append(([n for n in numbers if start <= n < start + length], number))
    covered = {number for members, _ in snippets for number in members}
    rest = [number for number in numbers if number not in covered]
    while rest:
        end = min([rest[0] + length] + [start for start in starts if start > rest[0]])
        members = [number for number in rest if number < end]
        rest = rest[len(members) :]
        # With sparse labels a snippet without any is one that nobody annotated.
        position = members[0] + ANNOTATED_INDEX
        snippets.append((members, position if not sparse and position in members else None))
    return sorted(snippets, key=lambda snippet: snippet[0][0])


def _only_one_in(run: list[int], annotated: list[int]) -> int | None:
    inside = [number for number in annotated if run[0] <= number <= run[-1]]
    return inside[0] if len(inside) == 1 else None


def _consecutive_runs(numbers: list[int]) -> list[list[int]]:
    runs = [[numbers[0]]]
    for number in numbers[1:]:
        if number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


@DATASETS.register_module()
class CityscapesSequenceDataset(BaseSequenceDataset):
    """Clips of ``leftImg8bit_sequence``, with labels of ``gtFine`` where a frame has them.

    Files, in folders or in place in the archives that Cityscapes hands out
    (``<folder>_trainvaltest.zip``); <kind> is labelIds, labelTrainIds or instanceIds::

        <data_root>/leftImg8bit_sequence/<split>/<city>/<city>_<seq>_<frame>_leftImg8bit.png
        <data_root>/gtFine/<split>/<city>/<city>_<seq>_<frame>_gtFine_<kind>.png

    With the default arguments a clip ends at the annotated frame, 1-based number 20 of its snippet:
    inputs 2, 5, 8, 11 and targets 14, 17, 20 (mid term). ``num_future=1`` gives 8, 11, 14, 17 and
    20 (short term).

    A sequence's id is ``<split>_<city>_<seq>_<first frame>``, a frame's name
    ``<city>_<seq>_<frame>``. The split is in the id because made data reuses names across splits,
    and one representation store may hold them all.

    Args:
        data_root: Folder of the dataset, or its address in a storage that fsspec reads (s3, gs, ...).
        split: 'train', 'val' or 'test'.
        data_prefix: ``img_path`` and ``seg_map_path``, folders or archives under ``data_root``.
            Data with labels on every frame keeps them in ``gtFine_sequence``. ``flow_path``, where there is
            flow from each frame to the next, as the synthetic street writes it (``<frame>_flow.png``).
            ``depth_path``, where there are maps of depth or disparity (``<frame>_<anything>.png``):
            Cityscapes' ``disparity_sequence``, the synthetic street's ``depth_sequence``.
        label_kind: Files to read labels from; 'auto' takes labelTrainIds where every labeled frame
            has them and labelIds, mapped in memory, otherwise.
        cities: Use these only.
        snippet_length: Frames of a snippet. None doesn't cut the long recordings: for long-term
            forecasts.
        kwargs: See :class:`BaseSequenceDataset`.

    Raises:
        FileNotFoundError: There are no frames where they were looked for.
        CorruptFrameError: A snippet lacks a frame in its middle and ``on_corrupt='raise'``; with
            'skip' it is left out and logged.
    """

    METAINFO = CITYSCAPES_METAINFO
    reads_addresses = True

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        data_prefix: dict | None = None,
        label_kind: str = 'auto',
        cities: SequenceType[str] | None = None,
        snippet_length: int | None = 30,
        **kwargs,
    ):
        check_choice(type(self).__name__, _LABEL_KINDS, label_kind=label_kind)
        if snippet_length is not None and snippet_length <= ANNOTATED_INDEX:
            raise ValueError(
                f'snippet_length must be None or at least {ANNOTATED_INDEX + 1}, so that a '
                f'snippet holds its annotated frame, got {snippet_length}'
            )
        prefix = dict(img_path='leftImg8bit_sequence', seg_map_path='gtFine')
        known = {*prefix, 'flow_path', 'depth_path'}
        unknown = set(data_prefix or {}) - known
        if unknown:
            raise ValueError(f'data_prefix knows {sorted(known)}, got {sorted(unknown)}')
        self.split = split
        self.label_kind = label_kind
        self.cities = None if cities is None else tuple(cities)
        self.snippet_length = snippet_length
        super().__init__(data_root=data_root, data_prefix={**prefix, **(data_prefix or {})}, **kwargs)

    def load_sequences(self) -> list[Sequence]:
        images = self._list_images()
        labels, instances = self._list_labels()
        flows, depths = self._list_flows(), self._list_depths()
        recordings: dict[str, dict[int, str]] = defaultdict(dict)
        for frame in images:
            recording, number = frame.rsplit('_', 1)
            recordings[recording][int(number)] = frame

        sequences = []
        for recording in sorted(recordings):
            frames = recordings[recording]
            annotated = sorted(number for number, frame in frames.items() if frame in labels)
            for numbers, mark in cut_snippets(sorted(frames), annotated, self.snippet_length):
                if self._has_hole(recording, numbers, images[frames[numbers[0]]]):
                    continue
                names = [frames[number] for number in numbers]
                first = names[0].rsplit('_', 1)[1]
                sequences.append(
                    Sequence(
                        id=f'{self.split}_{recording}_{first}',
                        frame_names=names,
                        image_paths=[images[name] for name in names],
                        seg_map_paths=[labels.get(name) for name in names],
                        instance_paths=[instances.get(name) for name in names],
                        flow_paths=[flows.get(name) for name in names] if flows else None,
                        depth_paths=[depths.get(name) for name in names] if depths else None,
                        annotated_index=None if mark is None else numbers.index(mark),
                    )
                )
        return sequences

    def _list_images(self) -> dict[str, str]:
        """Frame name to path."""
        prefix = self.data_prefix['img_path']
        pattern = os.path.join(prefix, self.split, '<city>', f'<city>_<seq>_<frame>{_IMAGE_SUFFIX}')
        tree = find_tree(prefix)
        if tree is None:
            raise FileNotFoundError(
                f'{type(self).__name__}: neither a folder {prefix} nor an archive {prefix}.zip or '
                f'{prefix}_trainvaltest.zip; frames are looked for as {pattern}: check data_root '
                'and data_prefix'
            )
        images = {}
        cities = set()
        for city, name, path in list_tree(tree, self.split):
            cities.add(city)
            if name.endswith(_IMAGE_SUFFIX) and (self.cities is None or city in self.cities):
                images[name[: -len(_IMAGE_SUFFIX)]] = path
        malformed = [name for name in images if not _is_frame_name(name)]
        if malformed:
            raise ValueError(f'{type(self).__name__}: {images[malformed[0]]} is not named {pattern}')
        if not images:
            found = ', '.join(sorted(cities)[:3]) + ', ...' if cities else 'none'
            raise FileNotFoundError(
                f'{type(self).__name__}: no frames {pattern}; wanted cities: '
                f'{self.cities or "all"}, cities there: {found}; check data_root, split and cities'
            )
        return images

    def _list_labels(self) -> tuple[dict[str, str], dict[str, str]]:
        """Frame name to path of the label map, and of the instance map. Sets ``label_map``."""
        prefix = self.data_prefix['seg_map_path']
        tree = find_tree(prefix)
        found = {kind: {} for kind in _LABEL_SUFFIXES}
        for _, name, path in list_tree(tree, self.split) if tree else ():
            for kind, suffix in _LABEL_SUFFIXES.items():
                if name.endswith(suffix):
                    found[kind][name[: -len(suffix)]] = path
        kind = self.label_kind
        if kind == 'auto':
            has_train_ids = len(found['labelTrainIds']) >= len(found['labelIds'])
            kind = 'labelTrainIds' if has_train_ids else 'labelIds'
        self.label_map = CITYSCAPES_LABEL_TO_TRAIN_ID if kind == 'labelIds' else None
        if not found[kind]:
            print_log(
                f'{type(self).__name__}: no label maps '
                f'{os.path.join(prefix, self.split, "<city>", "*" + _LABEL_SUFFIXES[kind])}: '
                'clips carry no labels',
                logger='current',
                level=logging.WARNING,
            )
        return found[kind], found['instanceIds']

    def _list_flows(self) -> dict[str, str]:
        """Frame name to path of the flow to the next frame; empty where none was asked for."""
        prefix = self.data_prefix.get('flow_path')
        if prefix is None:
            return {}
        tree = find_tree(prefix)
        files = list_tree(tree, self.split) if tree else ()
        flows = {name[: -len(_FLOW_SUFFIX)]: path for _, name, path in files if name.endswith(_FLOW_SUFFIX)}
        if not flows:
            pattern = os.path.join(prefix, self.split, '<city>', f'*{_FLOW_SUFFIX}')
            raise FileNotFoundError(
                f'{type(self).__name__}: no flow {pattern}; write the synthetic street with --flow, or drop '
                'flow_path from data_prefix'
            )
        return flows

    def _list_depths(self) -> dict[str, str]:
        """Frame name to path of its map of depth; empty where none was asked for."""
        prefix = self.data_prefix.get('depth_path')
        if prefix is None:
            return {}
        tree = find_tree(prefix)
        files = list_tree(tree, self.split) if tree else ()
        depths = {name.rsplit('_', 1)[0]: path for _, name, path in files if name.endswith('.png')}
        if not depths:
            pattern = os.path.join(prefix, self.split, '<city>', '<city>_<seq>_<frame>_*.png')
            raise FileNotFoundError(
                f'{type(self).__name__}: no maps of depth {pattern}; write the synthetic street with --depth, '
                'or drop depth_path from data_prefix'
            )
        return depths

    def _has_hole(self, recording: str, numbers: list[int], path: str) -> bool:
        """Whether frames are missing in the middle; raises instead where ``on_corrupt='raise'``."""
        present = set(numbers)
        missing = [number for number in range(numbers[0], numbers[-1]) if number not in present]
        if not missing:
            return False
        folder, name = os.path.split(path)
        digits = len(name[: -len(_IMAGE_SUFFIX)].rsplit('_', 1)[1])
        file = os.path.join(folder, f'{recording}_{missing[0]:0{digits}d}{_IMAGE_SUFFIX}')
        first = f'{numbers[0]:0{digits}d}'
        message = (
            f'sequence {self.split}_{recording}_{first} lacks {len(missing)} of its frames '
            f'{numbers[0]} to {numbers[-1]}, the first is {file}: download it again'
        )
        if self.on_corrupt == 'raise':
            raise CorruptFrameError(
                f"{message}, or leave the sequence out with on_corrupt='skip' (training only).",
                file,
            )
        print_log(
            f'{type(self).__name__}: {message}. The sequence is left out.',
            'current',
            logging.WARNING,
        )
        return True


def _is_frame_name(name: str) -> bool:
    parts = name.rsplit('_', 2)
    return len(parts) == 3 and parts[2].isdecimal()
