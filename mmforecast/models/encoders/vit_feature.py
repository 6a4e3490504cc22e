"""Features of a frozen vision transformer as representation (DINO-Foresight)."""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.fileio import CheckpointError, load_checkpoint
from mmforecast.models.utils import Pyramid
from mmforecast.models.utils.normalization import normalize_frames
from mmforecast.registry import MODELS

from .segmentor import two_channels
from .segmentor_feature import SegmentorFeatureEncoder


@MODELS.register_module()
class ViTFeatureEncoder(SegmentorFeatureEncoder):
    """What the backbone of an mmseg segmentor gives: several layers of a vision transformer, concatenated.

    The neck and the head read label maps off forecast features. Any backbone will do that gives maps of one
    size, (N, C_i, h, w): ``mmseg.VisionTransformer``, or ``TimmViT`` for the models of timm, such as DINOv2's.

    Args:
        segmentor: Config of the segmentor; it is built in mmseg's scope unless it says otherwise.
        size: (h, w) that frames are resized to first, multiples of the backbone's patches.
        checkpoint, chunk: See ``FrozenEncoder``.
        standardize: As of ``FrozenEncoder``.
        num_components: Standardized channels are projected to so many principal components, which are measured
            together with the statistics; None doesn't.
        statistics: Path of a file of ``tools/analysis_tools/feature_statistics.py``, instead of
            ``FeatureStatisticsHook``.

    Raises:
        ValueError: ``size`` is no multiple of the patches, the maps differ in size, or ``num_components`` is
            set without ``standardize``.
        CheckpointError: ``statistics`` is of other features.
    """

    def __init__(
        self,
        segmentor: dict | nn.Module,
        size: Sequence[int],
        checkpoint: str | None = None,
        standardize: bool = True,
        num_components: int | None = None,
        statistics: str | None = None,
        chunk: int = 4,
    ):
        self.size = tuple(size)
        if num_components is not None and not standardize:
            raise ValueError(
                f'{type(self).__name__}: num_components={num_components} are of standardized channels; set '
                'standardize=True'
            )
        super().__init__(segmentor, checkpoint, cut='backbone', chunk=chunk)
        self.set_up_standardizers(standardize, num_components)
        if statistics is not None:
            self.load_statistics(statistics)

    def encode_frames(self, frames: Tensor) -> Pyramid:
        if tuple(frames.shape[-2:]) != self.size:
            frames = F.interpolate(frames, size=self.size, mode='bilinear', antialias=True)
        return [self._read(normalize_frames(self.segmentor.data_preprocessor, frames))[0]]

    def scores(self, maps: Tensor, frame_size: Sequence[int]) -> Tensor:
        """Scores (N, classes, h', w') of maps (N, C, h, w), as large as the head's output."""
        (raw,) = self.raw([maps])
        return two_channels(self._continue(raw, self.size), self.segmentor)

    def load_statistics(self, path: str) -> None:
        """Take statistics, and components, from a file."""
        state = load_checkpoint(path, map_location='cpu')
        state = state.get('state_dict', state)
        try:
            self.standardizers.load_state_dict(state)
        except (AttributeError, RuntimeError) as error:
            raise CheckpointError(
                f'{path} does not hold statistics of {type(self).__name__} with these layers and '
                'num_components; measure them with tools/analysis_tools/feature_statistics.py'
            ) from error

    def _read(self, inputs: Tensor) -> tuple[Tensor, None]:
        layers = self.segmentor.backbone(inputs)
        sizes = {tuple(layer.shape[-2:]) for layer in layers}
        if len(sizes) != 1:
            raise ValueError(
                f'{self._name}: the backbone gives maps of the sizes {sorted(sizes)}, and they must be of '
                'one; take a vision transformer, or SegmentorFeatureEncoder'
            )
        self._widths = [layer.shape[1] for layer in layers]
        return torch.cat(list(layers), dim=1), None

    def _continue(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        layers = maps.split(self._widths, dim=1)
        if self.segmentor.with_neck:
            layers = self.segmentor.neck(layers)
        return self.segmentor.decode_head(layers)

    @torch.no_grad()
    def _probe(self, frames: Tensor) -> tuple[int, int]:
        """Channels and stride of the map."""
        backbone = self.segmentor.backbone
        patch = getattr(backbone, 'patch_size', None)
        if isinstance(patch, int) and any(side % patch for side in self.size):
            raise ValueError(
                f'{self._name}: size={self.size} must be multiples of {patch}, the side of a patch of '
                f'{type(backbone).__name__}'
            )
        # a few patches are enough, where their size is known
        size = (2 * patch, 4 * patch) if isinstance(patch, int) else self.size
        maps, _ = self._read(torch.zeros(1, 3, *size))
        return maps.shape[1], size[1] // maps.shape[-1]
