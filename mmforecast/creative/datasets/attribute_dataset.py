"""The base of all datasets of single images with class labels by attribute."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmengine.dataset import BaseDataset, force_full_init

from mmforecast.creative import MISSING_LABEL
from mmforecast.datasets.corrupt_files import CorruptFileError, CorruptFilePolicy
from mmforecast.registry import TRANSFORMS

__all__ = ['BaseAttributeDataset']


class BaseAttributeDataset(CorruptFilePolicy, BaseDataset):
    """Single images, each labeled by any number of attributes, such as shape and texture.

    A subclass implements :meth:`load_data_list`: one dict per image with ``gt_labels``, from attribute to
    class index (-1: not labeled), and either ``img_path`` (and ``mask_path`` where there is a mask) or,
    added by :meth:`get_data_info`, the image itself as ``img`` (H, W, 3) uint8 RGB. It calls
    :meth:`set_attributes` before.

    After ``PackCreativeInputs`` an item is ``dict(inputs, data_samples)``: a (3, H, W) uint8 RGB tensor and a
    :class:`~mmforecast.structures.CreativeDataSample`. The class names are the metainfo ``attributes``.

    Args:
        data_root: Folder of the dataset.
        on_corrupt: What an image that can't be used does: 'raise' stops, 'skip' takes another image instead
            and logs the file once per process. Defaults to 'raise' in ``test_mode``, where nothing else is
            possible, and to 'skip' in training.
        metainfo: ``attributes`` fixes the class names and their order.
        pipeline: Transforms, as configs or callables.

    The others are those of :class:`mmengine.dataset.BaseDataset`.

    Raises:
        ValueError: There is no image, or an attribute has fewer than two classes or no label at all.
    """

    METAINFO = dict(attributes=dict())
    item_name = 'image'

    def __init__(
        self,
        data_root: str = '',
        on_corrupt: str | None = None,
        metainfo: dict | None = None,
        pipeline: Sequence[dict | Callable] = (),
        test_mode: bool = False,
        indices: int | Sequence[int] | None = None,
        lazy_init: bool = False,
        serialize_data: bool = True,
        max_refetch: int = 1000,
    ):
        self.set_on_corrupt(on_corrupt, test_mode)
        super().__init__(
            metainfo=metainfo,
            data_root=data_root,
            data_prefix={},
            # Built here, so that our transforms need no prefix where no default scope is set.
            pipeline=[TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline],
            test_mode=test_mode,
            indices=indices,
            lazy_init=lazy_init,
            serialize_data=serialize_data,
            max_refetch=max_refetch,
        )

    @property
    @force_full_init
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """Class names by attribute."""
        return self._metainfo['attributes']

    @property
    def metainfo(self) -> dict:
        """As mmengine's, once the class names are known, which may stand in the dataset's files."""
        if not self._fully_initialized:
            self.full_init()
        return super().metainfo

    def set_attributes(self, names: Mapping[str, Sequence[str]]) -> None:
        """Settle the class names: ``names``, as found, where the user gave none of an attribute."""
        given = self._metainfo.get('attributes') or {}
        self._metainfo['attributes'] = {
            attribute: tuple(given.get(attribute, found)) for attribute, found in names.items()
        }
        for attribute, classes in self._metainfo['attributes'].items():
            if len(set(classes)) < len(classes):
                raise ValueError(f'{attribute} has two classes of one name: {list(classes)}')
            if len(classes) == 1:
                raise ValueError(
                    f'{self._place()}: the attribute {attribute!r} has one class only, '
                    f'{classes[0]!r}, so that there is nothing to tell apart or to deviate from: add '
                    'images of another class, or use the images without labels of this attribute'
                )

    def filter_data(self) -> list[dict]:
        """All that was found; ValueError where that is nothing."""
        if not self.data_list:
            raise ValueError(f'{self._place()} holds no image')
        return self.data_list

    def check_labels(self, data_list: Sequence[Mapping]) -> None:
        """Refuse attributes that no image is labeled with."""
        for attribute in self._metainfo['attributes']:
            if data_list and all(entry['gt_labels'][attribute] == MISSING_LABEL for entry in data_list):
                raise ValueError(
                    f'{self._place()}: none of the {len(data_list)} images has a label of '
                    f'{attribute!r}: label some, or leave the attribute out'
                )

    def prepare_data(self, idx: int) -> Any:
        """Image ``idx`` through the pipeline; None where it is skipped because it can't be used."""
        try:
            return self.pipeline(self.get_data_info(idx))
        except CorruptFileError as error:
            if not self.skips(error):
                raise
            return None

    def _place(self) -> str:
        """How a message calls this dataset."""
        return f'{type(self).__name__} at {self.data_root}' if self.data_root else type(self).__name__
