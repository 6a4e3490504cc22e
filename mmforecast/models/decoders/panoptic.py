"""Panoptic maps, merged from label maps and instances."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.structures import PixelData
from torch import Tensor

from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample, fill_boxes, merge_panoptic
from mmforecast.structures.cityscapes import EVALUATED_CLASSES, THING_CLASSES
from mmforecast.structures.panoptic import VOID
from mmforecast.utils.checks import check_at_least, check_range

from .base import BaseDecoder

# Pixels of the frames that ``stuff_area`` is meant for.
_FULL_AREA = 1024 * 2048
_MAX_CLASSES = 255


@MODELS.register_module()
class PanopticDecoder(BaseDecoder):
    """Merges the label maps and instances that another decoder wrote; ``panoptic`` of a forecaster.

    Instances are pasted over the stuff of the label maps, see
    :func:`~mmforecast.structures.panoptic.merge_panoptic`.

    Args:
        score_thr: Instances with a lower score are left out.
        overlap_thr: An instance is dropped if more than this share of it is taken by surer ones.
        stuff_area: Pixels of a frame of 1024x2048 below which a class of stuff becomes void; frames of other
            sizes have as large a share. 4096 is that of COCO's heuristic; 0 keeps all.
        label_ids: Cityscapes' label id of each class of the label maps, 0 for void; by default they hold
            Cityscapes' train ids.
        semantics: Config of a decoder that writes label maps where the forecaster's own writes none, as those
            of some baselines; None: there must be label maps.
    """

    def __init__(
        self,
        score_thr: float = 0.5,
        overlap_thr: float = 0.5,
        stuff_area: float = 4096,
        label_ids: Sequence[int] | None = None,
        semantics: dict | None = None,
    ):
        super().__init__()
        check_range('PanopticDecoder', 0, 1, score_thr=score_thr, overlap_thr=overlap_thr)
        check_at_least('PanopticDecoder', 0, stuff_area=stuff_area)
        self.score_thr = score_thr
        self.overlap_thr = overlap_thr
        self.stuff_area = stuff_area
        evaluated = [row.label_id for row in EVALUATED_CLASSES]
        label_ids = evaluated if label_ids is None else list(label_ids)
        if not set(label_ids) <= {VOID, *evaluated} or len(label_ids) > _MAX_CLASSES:
            raise ValueError(
                f'PanopticDecoder: label_ids must hold, for each of at most {_MAX_CLASSES} classes, the label '
                f'id of a class that Cityscapes evaluates ({", ".join(map(str, evaluated))}) or {VOID} for '
                f'void, got {label_ids}'
            )
        self._label_ids = np.full(_MAX_CLASSES + 1, VOID, dtype=np.int32)  # 255 has no class
        self._label_ids[: len(label_ids)] = label_ids
        self.semantics = None if semantics is None else MODELS.build(semantics)

    @torch.no_grad()
    def decode(
        self,
        future: Pyramid,
        samples: list[ForecastDataSample],
        context: ForecastContext | None = None,
        target: str = 'pred',
    ) -> list[ForecastDataSample]:
        """Write ``{target}_panoptic`` of each sample's ``{target}_instances`` and ``{target}_sem_seg``.

        Args:
            future: Read by ``semantics`` alone.
            samples, context: See ``BaseDecoder``.
            target: For 'ref', samples without instances or label maps are left as they are.
        """
        if self.semantics is not None and f'{target}_sem_seg' not in samples[0]:
            self.semantics.decode(future, samples, context, target)
        for sample in samples:
            instances, labels = (sample.get(f'{target}_{kind}') for kind in ('instances', 'sem_seg'))
            labels = None if labels is None else labels.data
            if target == 'pred':
                self._check(instances, labels)
            if instances is not None and labels is not None:
                setattr(sample, f'{target}_panoptic', PixelData(data=self._merge_clip(labels, instances)))
        return samples

    @staticmethod
    def _check(instances: list | None, labels: Tensor | None) -> None:
        if instances is None or labels is None:
            missing = 'instances' if instances is None else 'label maps'
            raise ValueError(
                f"PanopticDecoder merges label maps and instances, but the forecaster's decoder writes no "
                f'{missing}; take a decoder of both (DistanceMapDecoder with num_classes=19), or combine two '
                'forecasts in a PanopticForecaster'
            )
        own = next((step.instance_classes for step in instances if 'instance_classes' in step), THING_CLASSES)
        if tuple(own) != THING_CLASSES:
            raise ValueError(
                f'PanopticDecoder: the instances have the {len(own)} classes of the detector, but panoptic '
                "maps hold Cityscapes': set classes='cityscapes' of the encoder"
            )

    def _merge_clip(self, labels: Tensor, instances: list) -> Tensor:
        """(n, H, W) int32 panoptic maps of label maps (n, H, W) and the instances of n steps."""
        size = tuple(labels.shape[-2:])
        settings = dict(
            score_thr=self.score_thr,
            overlap_thr=self.overlap_thr,
            stuff_area=self.stuff_area * size[0] * size[1] / _FULL_AREA,
        )
        steps = zip(self._label_ids[labels.cpu().numpy()], instances, strict=True)
        maps = [merge_panoptic(label_ids, fill_boxes(step, size), **settings) for label_ids, step in steps]
        return torch.from_numpy(np.stack(maps)).to(labels.device)
