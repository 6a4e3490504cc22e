"""Photographs of garments, or of anything else, labeled by attribute."""

import os
from collections.abc import Callable, Hashable, Sequence

from mmforecast.datasets.image_files import IMAGE_SUFFIXES
from mmforecast.datasets.junk_files import is_junk, visible_entries, walk_visible
from mmforecast.registry import DATASETS
from mmforecast.utils.checks import check_choice

from .attribute_dataset import BaseAttributeDataset
from .image_list import ImageRow, label_index, read_image_list
from .resplit import PARTS, divide

__all__ = ['FashionDataset']


@DATASETS.register_module()
class FashionDataset(BaseAttributeDataset):
    """A custom collection, in either of two layouts.

    - An image list, ``ann_file``: CSV or JSON with the columns ``img_path``, one per attribute (``shape``,
      ``texture``), and optionally ``mask_path`` and ``split``. An empty field is a missing label. See
      :func:`~mmforecast.creative.datasets.image_list.read_image_list`. Class names are those of the whole
      list, sorted, so that all splits number them alike.
    - Folders as classes, without ``ann_file``: ``<data_root>/<split>/<class>/*.jpg``, labels of the one
      ``attribute``. Class names are the sorted folders of all splits. With ``attribute=None`` all images below
      ``<data_root>/<split>`` are taken, without labels.

    Args:
        data_root: Folder that paths are relative to.
        ann_file: The list, absolute or relative to ``data_root``.
        split: Its images are used; '' for all. In folders, '' means that there are no folders of splits.
        attribute: What the folders are classes of.
        mask_root: Of the folder layout: masks are ``<mask_root>/<split>/<class>/<name>.png``, as
            ``tools/dataset_converters/garment_masks.py`` writes them. Relative to ``data_root``.
        resplit: Shares of train, val and test, such as (0.7, 0.15, 0.15): the images of all splits are put
            together and divided anew, see :func:`~mmforecast.creative.datasets.resplit.divide`, each class of
            each old split by these shares. ``split`` then is 'train', 'val' or 'test'. For collections whose
            own splits come from different distributions.
        resplit_seed: Another seed is another division.
        kwargs: As of :class:`BaseAttributeDataset`.

    Raises:
        FileNotFoundError: Folder, list, or a file that it names is missing.
        ValueError: As of :class:`BaseAttributeDataset`; the list is malformed; a label is no known class.
    """

    def __init__(
        self,
        data_root: str = '',
        ann_file: str = '',
        split: str = '',
        attribute: str | None = 'shape',
        mask_root: str = '',
        resplit: Sequence[float] | None = None,
        resplit_seed: int = 0,
        pipeline: Sequence[dict | Callable] = (),
        **kwargs,
    ):
        if ann_file and mask_root:
            raise ValueError('mask_root is for folders as classes: in an image list, give a column mask_path')
        self.list_file = os.path.join(data_root, ann_file) if ann_file else ''
        self.split = split
        self.attribute = attribute
        self.mask_root = mask_root
        self.resplit, self.resplit_seed = resplit, resplit_seed
        if resplit is not None:
            check_choice('FashionDataset with resplit', PARTS, split=split)
        super().__init__(data_root=data_root, pipeline=pipeline, **kwargs)

    def load_data_list(self) -> list[dict]:
        data_list = self._from_list() if self.list_file else self._from_folders()
        self.check_labels(data_list)
        return data_list

    def _from_list(self) -> list[dict]:
        content = read_image_list(self.list_file)
        self.set_attributes(content.classes)
        rows = self._rows(content.rows)
        if not rows:
            splits = sorted({row.split for row in content.rows} - {''})
            raise ValueError(
                f'{self.list_file} has no image of split {self.split!r}: '
                + (f'its splits are {", ".join(splits)}' if splits else 'it has no column split')
            )
        data_list = []
        for row in rows:
            labels = {
                name: label_index(row.labels.get(name, ''), classes, name, row.where)
                for name, classes in self._metainfo['attributes'].items()
            }
            mask_path = self._existing(row.mask_path, row.where) if row.mask_path else None
            img_path = self._existing(row.img_path, row.where)
            data_list.append(dict(img_path=img_path, mask_path=mask_path, gt_labels=labels))
        return data_list

    def _rows(self, rows: Sequence[ImageRow]) -> list[ImageRow]:
        """Those of the split."""
        if self.resplit is None:
            return [row for row in rows if self.split in ('', row.split)]
        strata = [(row.split, *sorted(row.labels.items())) for row in rows]
        return self._own_part(rows, [row.img_path for row in rows], strata)

    def _own_part(self, items: Sequence, names: Sequence[str], strata: Sequence[Hashable]) -> list:
        """The items that the new division gives to the split."""
        parts = divide(names, strata, self.resplit, self.resplit_seed)
        own = [item for item, part in zip(items, parts) if part == self.split]
        if items and not own:
            raise ValueError(
                f'{self._place()}: resplit={tuple(self.resplit)} leaves no image for {self.split!r}: each '
                f'class of a folder is divided by itself, and {len(items)} images in {len(set(strata))} '
                'groups are too few: add images, or give that part a larger share'
            )
        return own

    def _existing(self, path: str, where: str) -> str:
        full = os.path.join(self.data_root, path)
        if not os.path.isfile(full):
            raise FileNotFoundError(
                f'{where} names {path}, but there is no file {full}: paths are relative to data_root'
            )
        return full

    def _from_folders(self) -> list[dict]:
        if self.resplit is not None:
            return self._from_all_folders()
        root = os.path.join(self.data_root, self.split)
        if not os.path.isdir(root):
            raise FileNotFoundError(
                f'there is no folder {root}: expected <data_root>/<split>/<class>/*.jpg; give '
                'data_root and split, or ann_file'
            )
        if self.attribute is None:
            self.set_attributes({})
            return [self._entry(path, {}) for path in _images_below(root)]
        self.set_attributes({self.attribute: self._class_folders()})
        classes = self._metainfo['attributes'][self.attribute]
        data_list = []
        for name in _folders(root):
            images = _images_below(os.path.join(root, name))
            if not images:
                continue
            label = label_index(name, classes, self.attribute, f'the folder {root}/{name}')
            data_list += [self._entry(path, {self.attribute: label}) for path in images]
        if not data_list and any(_is_image(name) for name in os.listdir(root)):
            raise ValueError(
                f'{root} holds images but no folders of classes: sort them into folders, give a list '
                'with ann_file, or take them unlabelled with attribute=None'
            )
        return data_list

    def _from_all_folders(self) -> list[dict]:
        """The images that the new division of all splits gives to the split."""
        if self.attribute is None:
            raise ValueError('FashionDataset: resplit divides each class, so that attribute must name one')
        if not os.path.isdir(self.data_root):
            raise FileNotFoundError(
                f'there is no folder {self.data_root}: expected <split>/<class>/*.jpg in it'
            )
        self.set_attributes({self.attribute: self._class_folders()})
        entries, strata = [], []
        for split in _folders(self.data_root):
            for label, name in enumerate(self._metainfo['attributes'][self.attribute]):
                folder = os.path.join(self.data_root, split, name)
                found = _images_below(folder) if os.path.isdir(folder) else []
                entries += [self._entry(path, {self.attribute: label}) for path in found]
                strata += [(split, name)] * len(found)
        names = [os.path.relpath(entry['img_path'], self.data_root).replace(os.sep, '/') for entry in entries]
        return self._own_part(entries, names, strata)

    def _class_folders(self) -> list[str]:
        """The classes of all splits that have images.

        A folder beside the splits that repeats their names is none of them: masks/train/<class> holds masks.
        """
        splits = _folders(self.data_root) if self.split else ['']
        return sorted(
            {
                name
                for split in splits
                for name in _folders(os.path.join(self.data_root, split))
                if name not in splits and _has_images(os.path.join(self.data_root, split, name))
            }
        )

    def _entry(self, path: str, labels: dict[str, int]) -> dict:
        mask_path = None
        if self.mask_root:
            relative = os.path.splitext(os.path.relpath(path, self.data_root))[0]
            mask_path = os.path.join(self.data_root, self.mask_root, f'{relative}.png')
        return dict(img_path=path, mask_path=mask_path, gt_labels=labels)


def _folders(root: str) -> list[str]:
    return [entry.name for entry in visible_entries(root) if entry.is_dir()]


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_SUFFIXES) and not is_junk(name)


def _has_images(folder: str) -> bool:
    return any(_is_image(name) for _, _, names in walk_visible(folder) for name in names)


def _images_below(root: str) -> list[str]:
    return sorted(
        os.path.join(folder, name)
        for folder, _, names in walk_visible(root)
        for name in names
        if _is_image(name)
    )
