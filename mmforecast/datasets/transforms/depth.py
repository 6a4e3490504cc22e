"""The transform that reads a clip's maps of depth."""

import numpy as np

from mmforecast.registry import TRANSFORMS
from mmforecast.utils.checks import check_above, check_choice

from .loading import LoadLabelMaps

__all__ = ['LoadClipDepth', 'bins_of_nearness']

UNITS = ('centimeters', 'disparity', 'bins')


def bins_of_nearness(nearness: np.ndarray) -> np.ndarray:
    """Nearness in [0, 1] in bins 1 to 255; more than 1 is 255."""
    return (1 + np.round(254 * np.clip(nearness, 0, 1))).astype(np.uint8)


@TRANSFORMS.register_module()
class LoadClipDepth(LoadLabelMaps):
    """Read the maps of depth of those frames that have them, as bins of nearness (inverse depth).

    Adds ``gt_depth``, (T, H, W) uint8: 255 is as near as ``nearest`` or nearer, 1 is infinitely far, 0 is
    unknown, as in a whole frame without a file; and ``img_shape``, ``ori_shape``.

    Args:
        unit: What the files hold. 'centimeters': 16 bits, 0 at the sky (the synthetic street). 'disparity':
            16 bits, 256 times the disparity in pixels plus 1, 0 where unknown (Cityscapes). 'bins': 8 bits,
            taken as they are (depth networks that were run ahead).
        nearest: What is bin 255: a distance in meters (2 by default), or a disparity in pixels (128).

    Raises:
        CorruptFrameError: A file is missing, truncated or corrupt.
        ValueError: The files differ in size from each other or from the frames, or don't hold the unit.
    """

    paths_key = 'depth_paths'
    field = 'gt_depth'
    dtype = np.uint8
    unlabelled = 0

    def __init__(self, unit: str = 'centimeters', nearest: float | None = None):
        super().__init__()
        check_choice('LoadClipDepth', UNITS, unit=unit)
        self.unit = unit
        self.nearest = (2.0 if unit == 'centimeters' else 128.0) if nearest is None else nearest
        check_above('LoadClipDepth', 0, nearest=self.nearest)

    def transform(self, results: dict) -> dict:
        if not any(results['depth_paths']):
            raise ValueError(
                f'no frame of this clip of sequence {results["sequence_id"]} has a map of depth: set '
                'depth_path of data_prefix, or drop LoadClipDepth'
            )
        return super().transform(results)

    def read(self, path: str, results: dict) -> np.ndarray:
        values = self._read_file(path, results)
        wanted = np.uint8 if self.unit == 'bins' else np.uint16
        if values.ndim != 2 or values.dtype != wanted:
            raise ValueError(
                f'{path} of sequence {results["sequence_id"]} is no map of depth in {self.unit}: expected one '
                f'channel of {np.dtype(wanted).name}, got shape {values.shape} of {values.dtype}; set unit of '
                'LoadClipDepth'
            )
        if self.unit == 'bins':
            return values
        if self.unit == 'disparity':
            bins = bins_of_nearness((values - 1.0) / 256 / self.nearest)
            return np.where(values == 0, 0, bins).astype(np.uint8)
        far = values == 0
        return bins_of_nearness(np.where(far, 0, 100 * self.nearest / np.where(far, 1, values)))
