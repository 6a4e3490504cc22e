"""A masked transformer on label maps, and on quantized depth beside them (FUTURIST).

Karypidis, Kakogeorgiou, Gidaris, Komodakis, "Advancing semantic future prediction through multimodal visual
sequence transformers", CVPR 2025.
"""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_choice, check_positive, check_range

from .base import BasePredictor
from .context import ForecastContext
from .label_planes import SCHEDULES, SHARINGS, LabelPlane, draw_masks
from .masked_transformer import MaskedTransformer

_IGNORE = -100


@MODELS.register_module()
class MaskedLabelTransformer(BasePredictor):
    """Forecasts the class, and the bin of depth, of every pixel of the next frame.

    The window and an empty frame are cut into patches; the transformer fills in the empty frame. In training
    only a part of that frame is masked, and the rest shows the truth, so it trains on single steps unless
    ``schedule`` is 'full'. Scores are read as their argmax, also those that are fed back.

    With the defaults and 19 classes it has the released model's size: 461,232,337 parameters, and 465,169,873
    with depth.

    Args:
        channels: C of the maps: scores of the classes, and depth as the last channel with ``depth_bins``.
        size: (H, W) of the maps that positions are made for. Others work: positions are resampled.
        depth_bins: Bins of depth, 256 in the paper, of which 0 is "invalid" and never a target; None where the
            maps have no depth (see ``LabelDepthEncoder``).
        unknown: Whether pixels of no class are an id of their own. They are those whose scores are all equal,
            as an encoder of true labels gives where there is no label. Without it they are refused.
        num_past: See ``BasePredictor``.
        patch_size: Pixels of a token on either side.
        embed_dims: Width of the transformer, a multiple of 3, of ``num_heads``, and even with depth.
        num_layers, num_heads, mlp_ratio, dropout, time_window: See ``MaskedTransformer``.
        pixel_dims: Length of the vector of a class or a bin.
        schedule, sharing: How positions are masked in training, see ``draw_masks``.
        label_weight: Of the cross-entropy of labels, beside one minus it for that of depth.
        class_weight: Weight of each class in the cross-entropy of labels.
        kwargs: See ``BasePredictor``; it has losses of its own.
    """

    num_levels = 1

    def __init__(
        self,
        channels: int,
        size: Sequence[int],
        depth_bins: int | None = None,
        unknown: bool = False,
        num_past: int = 4,
        patch_size: int = 16,
        embed_dims: int = 1536,
        num_layers: int = 12,
        num_heads: int = 8,
        mlp_ratio: float = 4,
        dropout: float = 0.1,
        time_window: int = 1,
        pixel_dims: int = 10,
        schedule: str = 'arccos',
        sharing: str = 'exclusive',
        label_weight: float = 0.85,
        class_weight: Sequence[float] | None = None,
        **kwargs,
    ):
        super().__init__(num_past=num_past, channels=channels, **kwargs)
        owner = type(self).__name__
        check_positive(owner, patch_size=patch_size, embed_dims=embed_dims, pixel_dims=pixel_dims)
        check_choice(owner, tuple(SCHEDULES), schedule=schedule)
        check_choice(owner, SHARINGS, sharing=sharing)
        check_range(owner, 0, 1, label_weight=label_weight)
        if self.losses:
            raise ValueError(f'{owner} is trained by cross-entropy, so losses must be empty')
        self.num_classes = channels if depth_bins is None else channels - 1
        counts = [self.num_classes] if depth_bins is None else [self.num_classes, depth_bins]
        if embed_dims % len(counts):
            raise ValueError(
                f'{owner}: half of a token is depth, so embed_dims must be even, got {embed_dims}'
            )
        self.depth_bins, self.unknown = depth_bins, unknown
        self.schedule, self.sharing, self.label_weight = schedule, sharing, label_weight
        self.patch_size = patch_size
        self._check_sides(size)
        self.planes = nn.ModuleList(
            LabelPlane(count, embed_dims // len(counts), patch_size, pixel_dims, unknown and not index)
            for index, count in enumerate(counts)
        )
        self.transformer = MaskedTransformer(
            embed_dims,
            tuple(side // patch_size for side in size),
            num_past + 1,
            sum(plane.token_channels for plane in self.planes),
            num_layers,
            num_heads,
            mlp_ratio,
            dropout,
            time_window,
        )
        weight = None if class_weight is None else torch.tensor(class_weight, dtype=torch.float)
        self.register_buffer('class_weight', weight, persistent=False)

    @property
    def one_call_in_training(self) -> bool:
        return self.schedule != 'full'

    def apply_own_start(self) -> None:
        for part in (*self.planes, self.transformer):
            part.reset()

    def forward(self, past: Pyramid, context: ForecastContext | None = None) -> Pyramid:
        ids = self.to_ids(self._checked(past))
        return [self.from_logits(self.logits([self._with_empty(maps) for maps in ids]))]

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> tuple[dict[str, Tensor], Pyramid]:
        """See ``BasePredictor``; of positions that weren't masked, the prediction knows the truth."""
        maps = torch.cat((self._checked(past), target[0]), dim=1)
        ids = self.to_ids(maps)
        grid = [side // self.patch_size for side in maps.shape[-2:]]
        masks = draw_masks(len(ids), len(maps), grid, self.schedule, self.sharing, maps.device)
        logits = self.logits(ids, masks)
        terms = self.cross_entropies(logits, [each[:, -1] for each in ids], masks)
        return terms, [self.from_logits([scores.detach() for scores in logits])]

    def require_losses(self) -> None:
        """Nothing is required: the losses are built in."""

    def logits(
        self, ids: Sequence[Tensor], masks: Sequence[Tensor] | None = None, newest: bool = True
    ) -> list[Tensor]:
        """Logits of the last frame, or of all, (B, 1 or T, K, H, W) per plane.

        Args:
            ids: (B, T, H, W) int64 per plane, T = num_past + 1.
            masks: (B, h, w) bool per plane, where the last frame is masked; all of it by default.
            newest: Whether only those of the last frame are computed.
        """
        if masks is None:
            batch, _, height, width = ids[0].shape
            shape = batch, height // self.patch_size, width // self.patch_size
            masks = [torch.ones(shape, dtype=torch.bool, device=ids[0].device)] * len(ids)
        parts = [plane.tokens(*given) for plane, *given in zip(self.planes, ids, masks, strict=True)]
        out = self.transformer(torch.cat(parts, dim=-1), newest)
        outs = out.split([plane.token_channels for plane in self.planes], dim=-1)
        return [plane.logits(part) for plane, part in zip(self.planes, outs)]

    def to_ids(self, maps: Tensor) -> list[Tensor]:
        """(B, T, H, W) int64 per plane, from maps (B, T, C, H, W).

        Raises:
            ValueError: Pixels have no class, and ``unknown`` is False.
        """
        scores = maps[:, :, : self.num_classes]
        best, labels = scores.max(dim=2)
        missing = best == scores.amin(dim=2)
        if not missing.is_meta and missing.any():
            if not self.unknown:
                raise ValueError(
                    f'{type(self).__name__}: {float(missing.float().mean()):.2%} of the pixels have no class '
                    '(all scores are equal); set unknown=True of the predictor, which gives them an id'
                )
            labels = labels.masked_fill(missing, self.num_classes)
        if self.depth_bins is None:
            return [labels]
        top = self.depth_bins - 1
        return [labels, (maps[:, :, -1] * top).round().long().clamp(0, top)]

    def from_logits(self, logits: Sequence[Tensor]) -> Tensor:
        """Maps (B, 1, C, H, W) as the encoder gives them, from logits by plane."""
        if self.depth_bins is None:
            return logits[0]
        depth = logits[1].argmax(dim=2, keepdim=True) / (self.depth_bins - 1)
        return torch.cat((logits[0], depth), dim=2)

    def cross_entropies(
        self, logits: Sequence[Tensor], truth: Sequence[Tensor], masks: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """Weighted mean cross-entropies over the pixels of masked tokens.

        Args:
            logits: (B, 1, K, H, W) per plane.
            truth: (B, H, W) int64 per plane. Unknown classes and depth 0 don't count.
            masks: (B, h, w) bool per plane.
        """
        single = self.depth_bins is None
        weights = [1.0] if single else [self.label_weight, 1 - self.label_weight]
        out = {}
        for index, name in enumerate(('labels', 'depth')[: len(logits)]):
            nothing = self.num_classes if index == 0 else 0
            shown = masks[index].repeat_interleave(self.patch_size, 1).repeat_interleave(self.patch_size, 2)
            wanted = truth[index].masked_fill(~shown | (truth[index] == nothing), _IGNORE)
            of_class = self.class_weight if index == 0 else None
            total = F.cross_entropy(
                logits[index][:, 0], wanted, of_class, ignore_index=_IGNORE, reduction='sum'
            )
            counted = wanted != _IGNORE
            amount = counted.sum() if of_class is None else of_class[wanted[counted]].sum()
            out[f'loss_{name}'] = weights[index] * total / amount.clamp(min=1)
        return out

    def _checked(self, past: Pyramid) -> Tensor:
        self.check_window(past)
        self._check_sides(past[0].shape[-2:])
        return past[0]

    def _check_sides(self, size: Sequence[int]) -> None:
        if any(side % self.patch_size for side in size):
            raise ValueError(
                f'{type(self).__name__}: sides of the maps must be multiples of patch_size={self.patch_size}, '
                f'got {tuple(size)}; set the size of the encoder, or add ClipResize or ClipPadToMultiple'
            )

    @staticmethod
    def _with_empty(ids: Tensor) -> Tensor:
        return torch.cat((ids, torch.zeros_like(ids[:, :1])), dim=1)
