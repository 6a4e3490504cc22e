"""One network tried: trained under and scored by a Runner, and its oracle compared with its own output."""

import tempfile
from pathlib import Path

import torch
from clips import NUM_PAST, OneClip, clip
from mmdet.structures import DetDataSample
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmseg.structures import SegDataSample
from networks import is_detector, network_config, source_config
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from mmforecast.models.encoders import DetectorEncoder
from mmforecast.models.encoders.frozen import FrozenEncoder
from mmforecast.models.forecasters.base import BaseForecaster
from mmforecast.registry import MODELS
from mmforecast.utils.seeded import seeded

_WHOLE = (128, 160)
_TO_PAD = (120, 152)  # detectors pad it to multiples of 32
# Sets of masks with random weights give every pixel one class, unless the weights are large.
_NOISE = {'mask2former-seg': 0.1, 'maskformer-seg': 0.1}


def try_network(name: str) -> dict:
    """A row of the page.

    Returns:
        ``network``, ``detector``, whether it is one, and ``config``; then either ``refused``, a sentence, or
        ``representation``, ``loss`` of one iteration, ``scores``, ``agreement`` of the oracle with the
        network's own output, ``found``, the number of instances or classes in that output, and for
        detectors ``detector_loss``, a number or the sentence that refuses it.
    """
    row = dict(network=name, detector=is_detector(name), config=source_config(name))
    try:
        network = _random_network(name)
    except ValueError as error:
        return dict(row, refused=str(error))
    size = _size(network)
    metric = dict(type='FutureSemSegMetric')
    if is_detector(name):
        metric = dict(type='CityscapesInstanceMetric', min_region_size=10)
        row['detector_loss'] = _detector_loss(network, size)
    losses = dict(mse=dict(type='mmdet.MSELoss'))
    model = _forecaster(network, dict(type='FeatureFusion', losses=losses))
    loss, scores = _run(model, size, metric)
    data = pseudo_collate([clip(size)])
    found = _oracle(network, data)
    own = own_output(network, data['inputs'][0][-1].float())
    share, count = agreement(found, own)
    representation = f'{_levels(model.encoder)}, {model.encoder.channels} channels'
    return dict(row, representation=representation, loss=loss, scores=scores, agreement=share, found=count)


def _random_network(name: str) -> nn.Module:
    """A network with its own initialization, noise against equal scores, and calibrated BatchNorms."""
    torch.manual_seed(0)
    encoder = MODELS.build(_encoder_config(network_config(name), is_detector(name)))
    encoder.init_weights()
    with torch.no_grad():
        for weight in encoder.network.parameters():
            weight += _NOISE.get(name, 0.003) * torch.randn_like(weight)
        if name == 'queryinst':  # mmdet can't paste the masks of boxes beside the frame
            for head in encoder.network.roi_head.bbox_head:
                head.fc_reg.weight *= 0.05
        _calibrate(encoder)
    return encoder.network


def _calibrate(encoder: FrozenEncoder) -> None:
    """Set the statistics of BatchNorms on a clip: without them, deep random networks overflow in eval mode."""
    norms = [module for module in encoder.network.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.momentum = None  # the mean of what it sees
        norm.reset_running_stats()
        norm.train()
    encoder.encode_frames(clip(_WHOLE)['inputs'].float())
    for norm in norms:
        norm.eval()
        if not norm.num_batches_tracked:  # in a head that was not run
            norm.reset_running_stats()


def _size(network: nn.Module) -> tuple[int, int]:
    """(height, width) of the frames that a network is tried on."""
    return _TO_PAD if getattr(network.data_preprocessor, 'pad_size_divisor', 1) > 1 else _WHOLE


def _encoder_config(network: nn.Module | dict, detector: bool) -> dict:
    if detector:
        return dict(type='DetectorEncoder', detector=network, chunk=1)
    return dict(type='SegmentorEncoder', segmentor=network, chunk=1)


def _forecaster(network: nn.Module, predictor: dict, **settings) -> BaseForecaster:
    detector = _finds_instances(network)
    return MODELS.build(
        dict(
            type='F2FForecaster' if detector else 'S2SForecaster',
            encoder=_encoder_config(network, detector),
            predictor=predictor,
            num_past=NUM_PAST,
            test_cfg=dict(rollout_steps=1),
            **settings,
        )
    )


def _finds_instances(network: nn.Module) -> bool:
    return type(network).__module__.startswith('mmdet.')


def _run(model: BaseForecaster, size: tuple[int, int], metric: dict) -> tuple[float, dict[str, float]]:
    """The loss of one iteration of a Runner, and the scores of the validation after it.

    Raises:
        ArithmeticError: The loss is not finite, or the iteration left the predictor's weights as they were.
    """
    before = [weight.detach().clone() for weight in model.predictor.parameters()]
    loader = DataLoader(OneClip(size), collate_fn=pseudo_collate)
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(
            model=model,
            work_dir=folder,
            train_dataloader=loader,
            val_dataloader=loader,
            val_cfg=dict(),
            train_cfg=dict(type='IterBasedTrainLoop', max_iters=1, val_interval=1),
            val_evaluator=metric,
            optim_wrapper=dict(optimizer=dict(type='Adam', lr=1e-4)),
            experiment_name=Path(folder).name,
            default_hooks=dict(checkpoint=None, logger=dict(type='LoggerHook', interval=1)),
            log_level='WARNING',
            default_scope='mmforecast',
        )
        runner.train()
    scalars = {name: value.current() for name, value in runner.message_hub.log_scalars.items()}
    loss = float(scalars['train/loss'])
    moved = any(not torch.equal(*pair) for pair in zip(before, model.predictor.parameters()))
    if not torch.isfinite(torch.tensor(loss)) or not moved:
        raise ArithmeticError(f'the loss is {loss}; the weights of the predictor moved: {moved}')
    return loss, {name: float(value) for name, value in scalars.items() if name.startswith('val/')}


@torch.no_grad()
def _oracle(network: nn.Module, data: dict) -> InstanceData | Tensor:
    """Instances or (H, W) labels that the oracle forecasts for the last frame of a batch of one clip."""
    (sample,) = _forecaster(network, dict(type='Oracle')).eval().test_step(data)
    return sample.pred_instances[-1] if _finds_instances(network) else sample.pred_sem_seg.data[-1]


@torch.no_grad()
def own_output(network: nn.Module, frame: Tensor) -> InstanceData | Tensor:
    """Instances or (H, W) labels that a network gives for a frame (3, H, W) RGB, by its own test step."""
    size = tuple(frame.shape[-2:])
    meta = dict(ori_shape=size, img_shape=size, pad_shape=size, scale_factor=(1.0, 1.0), img_id=0)
    detector = _finds_instances(network)
    sample = DetDataSample(metainfo=meta)
    if not detector:
        sample = SegDataSample(metainfo=dict(meta, padding_size=[0, 0, 0, 0]))
    network.eval()
    data = network.data_preprocessor(dict(inputs=[frame.flip(0)], data_samples=[sample]), False)
    inputs, samples = data['inputs'], data['data_samples']
    with seeded(0):  # as encoders seed networks that draw random numbers, such as SegNeXt
        if hasattr(network, 'panoptic_fusion_head'):
            features = network.extract_feat(inputs)
            proposals = network.rpn_head.predict(features, samples, rescale=False)
            return network.roi_head.predict(features, proposals, samples, rescale=True)[0]
        (found,) = network.predict(inputs, samples)
    return found.pred_instances if detector else found.pred_sem_seg.data[0]


def agreement(found: InstanceData | Tensor, own: InstanceData | Tensor) -> tuple[float, int]:
    """Share of instances, or of pixels, that are the same, and how many instances or classes ``own`` has."""
    if isinstance(own, Tensor):
        return float((found == own).float().mean()), len(own.unique())
    own = own[own.scores.argsort(descending=True, stable=True)]
    if len(found) != len(own):
        return 0.0, len(own)
    same = [
        all(torch.equal(torch.as_tensor(found[key][i]), torch.as_tensor(own[key][i])) for key in own.keys())
        for i in range(len(own))
    ]
    return sum(same) / max(1, len(same)), len(own)


def _levels(encoder: FrozenEncoder) -> str:
    return ' '.join(encoder.level_names) if isinstance(encoder, DetectorEncoder) else 'scores'


def _detector_loss(network: nn.Module, size: tuple[int, int]) -> float | str:
    """The loss of training through the network's own heads, or why there is none."""
    settings = dict(train_cfg=dict(rollout_steps=1, detector_loss=1.0))
    model = _forecaster(network, dict(type='FeatureFusion'), **settings).train()
    try:
        losses = model(**model.data_preprocessor(pseudo_collate([clip(size)]), True), mode='loss')
    except ValueError as error:
        return str(error)
    loss, _ = model.parse_losses(losses)
    loss.backward()
    reached = sum(float(p.grad.abs().sum()) for p in model.predictor.parameters() if p.grad is not None)
    return float(loss) if reached > 0 else 'its losses do not reach the predictor'
