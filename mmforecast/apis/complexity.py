"""Parameters and multiply-adds of a forecaster, by part, without computing anything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn as nn
from mmengine.config import Config
from mmengine.structures import PixelData
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from mmforecast.models.decoders import FlowInstanceDecoder
from mmforecast.models.encoders import (
    BaseEncoder,
    CachedEncoder,
    DetectorEncoder,
    LabelDepthEncoder,
    PrecomputedEncoder,
)
from mmforecast.models.forecasters import BaseForecaster
from mmforecast.models.predictors.context import ForecastContext
from mmforecast.models.predictors.deformable import DeformableConv
from mmforecast.models.utils import Pyramid, time_cat, time_slice
from mmforecast.models.utils.feature_pca import FeaturePCA
from mmforecast.models.utils.standardization import ChannelStandardizer
from mmforecast.structures import ForecastDataSample

from .evaluate import build_forecaster


class NeedsDataError(ValueError):
    """A part of a forecaster cannot be counted on shapes alone."""


@dataclass
class Cost:
    """What one part of a forecaster costs.

    Attributes:
        part: 'encoder', 'predictor' or 'decoder'.
        unit: What ``macs`` is for: a 'frame', a 'call' or a 'step'.
        parameters: Weights and biases; those of a detector's heads count as the decoder's.
        macs: multiply-adds of one unit.
        short: Units in a forecast of one call of the predictor.
        whole: Units in a forecast of ``test_cfg.rollout_steps`` steps.
        whole_macs: What all of these take, where not each of them takes as much: a recurrent predictor's first
            call reads all past frames.
    """

    part: str
    unit: str
    parameters: int
    macs: int
    short: int
    whole: int
    whole_macs: int | None = None

    @property
    def forecast_macs(self) -> int:
        """Multiply-adds of a forecast of ``test_cfg.rollout_steps`` steps."""
        return self.whole * self.macs if self.whole_macs is None else self.whole_macs


def count_macs(call: Callable, *args) -> tuple[int, object]:
    """Multiply-adds of the matrix products and convolutions in ``call(*args)``, and its result.

    Biases, activations, pooling and resampling aren't counted. Works on meta tensors, which have shapes
    and no data.
    """
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        out = call(*args)
    return counter.get_total_flops() // 2, out


def count_costs(
    cfg: Config, size: tuple[int, int], device: str = 'auto', changes: dict | None = None
) -> tuple[list[Cost], BaseForecaster, str | None]:
    """Costs of the forecaster of a config, whose weights are not read: any weights cost the same.

    Args:
        cfg: A whole config; only ``model`` is read.
        size: (H, W) of the frames; of the maps, where the data set brings scores.
        device: 'meta' or 'cpu'; 'auto' takes 'cpu' where a part can't run on shapes alone.
        changes: Keys put in place of those of the config's model, as for
            :func:`~.evaluate.build_forecaster`.

    Returns:
        The costs as of :func:`complexity`; the forecaster, of no further use; and why it was counted on the
        CPU, where 'auto' chose that.
    """
    cfg = Config(dict(model=without_weights(cfg.model.to_dict())))
    reason = None
    for place in ('meta', 'cpu') if device == 'auto' else (device,):
        model = build_forecaster(cfg, changes=changes, device='cpu')
        try:
            return complexity(model, size, place), model, reason
        except NeedsDataError as error:
            if place == device or place == 'cpu':
                raise
            reason = str(error).split(':')[0]


def without_weights(config):
    """A config of a model that reads no file."""
    if isinstance(config, (list, tuple)):
        return type(config)(without_weights(part) for part in config)
    if not isinstance(config, dict):
        return config
    kept = {key: without_weights(part) for key, part in config.items() if key != 'init_cfg'}
    return {**kept, 'checkpoint': None} if 'checkpoint' in config else kept


def complexity(model: BaseForecaster, size: tuple[int, int], device: str = 'meta') -> list[Cost]:
    """Costs of encoder, predictor and decoder for one clip of frames of ``size``.

    A detector's heads are counted as if they met their limits: as many proposals as its RPN keeps, and as
    many detections as it reports; also those of an encoder that paints a detector's instances. Matching and
    suppressing boxes, RoIAlign, optical flow, warping and cost volumes aren't counted. Representations that
    the data set brings cost nothing, see :func:`given_representation`. ``CachedEncoder`` costs what its
    encoder does.

    Args:
        model: Is of no use afterwards: it is moved to ``device``, which on 'meta' loses its weights, and its
            encoder is simplified.
        size: (H, W) of the frames; of the maps, where the data set brings scores.
        device: 'meta', or 'cpu' for parts that can't run without data.

    Raises:
        NeedsDataError: ``device`` is 'meta', and a part can't run without data.
    """
    if isinstance(model.encoder, CachedEncoder):
        model.encoder = model.encoder.encoder
    _simplify(model)
    model = model.to(device).eval()
    frames = torch.zeros((1, 1, 3, *size), device=device)
    samples = [ForecastDataSample(metainfo=dict(img_shape=tuple(size), ori_shape=tuple(size)))]
    encode, one = _encode(model, frames, samples)
    clip = frames.expand(-1, model.num_past, -1, -1, -1)
    outputs, steps = model.predictor.num_outputs, model.test_steps

    def roll_out(steps: int) -> tuple[int, Pyramid, ForecastContext]:
        past, context = model.split(time_cat([one] * model.num_past), clip, samples)
        if model.predictor.reads_future:
            return 0, time_slice(past, model.num_past - 1, model.num_past), context
        return *_run(model.predictor, count_macs, model.rollout, past, steps, context), context

    predict, future, context = roll_out(outputs)
    whole_macs = predict if steps == outputs else roll_out(steps)[0]
    step = time_slice(future, 0, 1)
    if isinstance(model.encoder, DetectorEncoder):
        detector = model.encoder.detector
        decode, heads = heads_macs(model.encoder, step, size), _size_of(*detector_heads(detector))
    else:
        decode, _ = _run(model.decoder, count_macs, model.decode, step, samples, context)
        heads = 0
    return [
        Cost('encoder', 'frame', _size_of(model.encoder) - heads, encode, *[model.num_past] * 2),
        Cost('predictor', 'call', _size_of(model.predictor), predict, 1, steps // outputs, whole_macs),
        Cost(
            'decoder',
            'step',
            _size_of(model.decoder) + heads,
            decode,
            _decoded_steps(model.decoder, outputs),
            _decoded_steps(model.decoder, steps),
        ),
    ]


def _simplify(model: BaseForecaster) -> None:
    """Drop what costs nothing and needs data: statistics of features, and where samples of a kernel lie."""

    def as_plain(conv: DeformableConv, maps: Tensor) -> Tensor:
        if conv.offset is not None:
            conv.offset(maps)
        return conv.plain(maps)

    for module in model.modules():
        if isinstance(module, FeaturePCA):  # its projection costs something
            module.std.fill_(1)
        elif isinstance(module, ChannelStandardizer):
            module.forward = module.undo = lambda maps: maps
        elif isinstance(module, DeformableConv):
            module.forward = partial(as_plain, module)


def _encode(model: BaseForecaster, frames: Tensor, samples: list[ForecastDataSample]) -> tuple[int, Pyramid]:
    """Multiply-adds of the encoder on one frame, and its representation, (1, 1, C, h, w) per level."""
    encoder, size = model.encoder, tuple(frames.shape[-2:])
    paints = getattr(encoder, 'detector_encoder', None) is not None
    sees_rgb = encoder.from_rgb
    if isinstance(encoder, LabelDepthEncoder):  # depth comes with the data, but scores may not
        sees_rgb = encoder.scores.from_rgb
        samples[0].gt_depth = PixelData(data=torch.zeros((1, *size), dtype=torch.uint8))
    if sees_rgb and not paints:
        return _run(encoder, count_macs, model.encode, frames, samples)
    macs = painter_macs(encoder, frames) if paints else 0
    given = blank_maps(encoder, size) if paints else given_representation(encoder, size)
    given = [level.to(frames.device) for level in given]
    encoder.encode = lambda *_: given
    return macs, model.encode(frames, samples)


def given_representation(encoder: BaseEncoder, size: tuple[int, int]) -> Pyramid:
    """What an encoder that sees no RGB makes of one frame without objects, (1, 1, C, h, w) per level.

    Args:
        encoder: Takes labels or scores from the sample (``from_rgb`` is False).
        size: (H, W) of the labels, or of the scores.
    """
    sample = ForecastDataSample(metainfo=dict(labelled=(True,)))
    if isinstance(encoder, PrecomputedEncoder):
        sample.scores = torch.zeros((1, encoder.channels, *size))
    else:
        sample.gt_sem_seg = PixelData(data=torch.zeros((1, *size), dtype=torch.uint8))
        sample.gt_instance_map = PixelData(data=torch.zeros((1, *size), dtype=torch.int32))
        sample.gt_depth = PixelData(data=torch.zeros((1, *size), dtype=torch.uint8))
    return encoder.encode(torch.zeros((1, 0, 3, *size)), [sample])


def blank_maps(encoder: BaseEncoder, size: tuple[int, int]) -> Pyramid:
    """Maps of the shapes (1, 1, C, h, w) that an encoder paints; arguments as above."""
    size = tuple(side // encoder.stride for side in size)
    channels = [encoder.channels if name == 'scores' else 3 for name in encoder.level_names]
    return [torch.zeros((1, 1, count, *size)) for count in channels]


def painter_macs(encoder: BaseEncoder, frames: Tensor) -> int:
    """Multiply-adds of an encoder that paints the instances of a detector, on frames (1, 1, 3, H, W)."""
    inner = encoder.detector_encoder
    macs, levels = _run(inner, count_macs, inner.encode, frames, [])
    return macs + heads_macs(inner, levels, frames.shape[-2:])


def detector_heads(detector: nn.Module) -> list[nn.Module]:
    """The modules of an mmdet detector that read its pyramid."""
    names = ('rpn_head', 'roi_head', 'bbox_head', 'mask_head')
    return [getattr(detector, name) for name in names if getattr(detector, name, None) is not None]


def heads_macs(encoder: DetectorEncoder, step: Pyramid, size: Sequence[int]) -> int:
    """Multiply-adds of a detector's heads on one pyramid, at their limits (see ``complexity``).

    Args:
        step: (B, 1, C, h, w) per level of the representation.
        size: (H, W) of the frames.
    """
    detector = encoder.detector
    levels = encoder.complete([level[:, 0] for level in step], encoder.working_size(size)[1])
    total = 0
    roi_head = getattr(detector, 'roi_head', None)
    for head in detector_heads(detector):
        if head is not roi_head:
            total += _run(head, count_macs, head.forward, levels)[0]
    if roi_head is None:
        return total
    limits = dict(bbox=detector.test_cfg.rpn.max_per_img, mask=detector.test_cfg.rcnn.max_per_img)
    for kind, number in limits.items():
        heads = _stages(getattr(roi_head, f'{kind}_head', None))
        extractors = _stages(getattr(roi_head, f'{kind}_roi_extractor', None))
        for head, extractor in zip(heads, extractors):
            regions = _regions(extractor, number, levels[0])
            total += _run(head, count_macs, head.forward, regions)[0]
    return total


def _stages(module) -> list[nn.Module]:
    """One module per stage: cascades have a list of them."""
    if module is None:
        return []
    return list(module) if isinstance(module, nn.ModuleList) else [module]


def _regions(extractor: nn.Module, number: int, like: Tensor) -> Tensor:
    """What RoIAlign gives of ``number`` regions: (number, C, h, w)."""
    output = extractor.roi_layers[0].output_size
    size = (output, output) if isinstance(output, int) else tuple(output)
    return like.new_zeros((number, extractor.out_channels, *size))


def _decoded_steps(decoder: nn.Module, steps: int) -> int:
    """How often a decoder reads a representation in a forecast of ``steps`` steps."""
    once = isinstance(decoder, FlowInstanceDecoder) or getattr(decoder, 'steps', 'all') == 'last'
    return 1 if once else steps


def _size_of(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def _run(part: nn.Module, call: Callable, *args):
    """``call(*args)``; what fails for lack of data is said in one sentence."""
    try:
        return call(*args)
    except (NotImplementedError, RuntimeError, TypeError) as error:
        if 'meta' not in str(error):
            raise
        raise NeedsDataError(
            f'{type(part).__name__} needs data, not only shapes (optical flow and non-maximum '
            'suppression do): count it with --device cpu'
        ) from error
