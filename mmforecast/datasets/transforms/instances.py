"""The transform that reads a clip's instance maps."""

import numpy as np

from mmforecast.registry import TRANSFORMS
from mmforecast.structures.cityscapes import MAX_INSTANCE_ID, THING_LABEL_IDS

from .loading import LoadLabelMaps

__all__ = ['LoadClipInstances']

# Every value an instanceIds file can hold: the label ids, and label * 1000 + n for the labels with
# instances, 24 (person) to 33 (bicycle), caravans and trailers included.
_IS_KNOWN = np.zeros(2**16, bool)
_IS_KNOWN[:34] = _IS_KNOWN[THING_LABEL_IDS[0] * 1000 : MAX_INSTANCE_ID + 1] = True


@TRANSFORMS.register_module()
class LoadClipInstances(LoadLabelMaps):
    """Read the instance maps, Cityscapes' instanceIds, of those frames that have them.

    Adds ``gt_instance_map``, (T, H, W) int32: ``label_id * 1000 + n`` on instances, ``label_id``
    elsewhere (groups included), and -1 all over a frame without labels; ``img_shape`` and
    ``ori_shape``; and ``labelled``, T bools, unless LoadClipSemSeg sets it. A clip without any
    label takes the size of its frames or scores, so that these must be loaded before.

    Raises:
        CorruptFrameError: A file is missing, truncated or corrupt.
        ValueError: The files differ in size from each other or from the frames, are not 16-bit
            single-channel images, or hold a value that is no id of Cityscapes.
    """

    paths_key = 'instance_paths'
    field = 'gt_instance_map'
    dtype = np.int32
    unlabelled = -1

    def transform(self, results: dict) -> dict:
        results = super().transform(results)
        results.setdefault('labelled', [path is not None for path in results[self.paths_key]])
        return results

    def read(self, path: str, results: dict) -> np.ndarray:
        ids = self._read_file(path, results)
        if ids.ndim != 2 or ids.dtype != np.uint16:
            raise ValueError(
                f'{path} of sequence {results["sequence_id"]} is not an instance map: expected one '
                f'16-bit channel of instanceIds, got shape {ids.shape} of {ids.dtype}; is it a '
                'label or a color map?'
            )
        unknown = ~_IS_KNOWN[ids]
        if unknown.any():
            raise ValueError(
                f'{path} holds id {ids[unknown][0]}, but instanceIds of Cityscapes are label ids (0 '
                'to 33) or label id * 1000 + n (24000 to 33999); is it made for another data set?'
            )
        return ids.astype(np.int32)
