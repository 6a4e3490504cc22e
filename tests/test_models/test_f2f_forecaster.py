import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import InstanceData, PixelData

from mmforecast.models.encoders import DetectorEncoder
from mmforecast.models.encoders.detector import detect
from mmforecast.models.forecasters import F2FForecaster
from mmforecast.models.utils import random_crop
from mmforecast.models.utils.detector import detector_sample, reference_sample
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

DETECTORS = ['mask-rcnn', 'cascade-mask-rcnn', 'faster-rcnn', 'retinanet', 'fcos']
SIZE = (64, 96)


def clips(batch=2, length=5, labelled=(4,), size=SIZE):
    """Random frames; a person and a car in the labeled ones."""
    id_maps = torch.full((length, *size), -1, dtype=torch.int32)
    for frame in labelled:
        id_maps[frame] = 7
        id_maps[frame, 8:40, 10:30] = 24000
        id_maps[frame, 30:60, 40:90] = 26001
    meta = dict(img_shape=size, labelled=[frame in labelled for frame in range(length)])
    samples = [
        ForecastDataSample(gt_instance_map=PixelData(data=id_maps), metainfo=meta) for _ in range(batch)
    ]
    return torch.rand(batch, length, 3, *size) * 255, samples


def forecaster(detector, levels=None, predictor=None, encoder=None, **kwargs):
    """F2F with one scale per level, and as many levels as the detector has."""
    count = len(levels or range(5 if detector['type'] in ('RetinaNet', 'FCOS') else 4))
    predictor = dict(
        type='F2FPredictor',
        **dict(
            dict(
                channels=16,
                num_levels=count,
                size_factor=1,
                num_scales=(1,) * count,
                losses=dict(mse=dict(type='mmdet.MSELoss')),
            ),
            **(predictor or {}),
        ),
    )
    encoder = dict(type='DetectorEncoder', detector=detector, levels=levels, **(encoder or {}))
    return MODELS.build(dict(type='F2FForecaster', encoder=encoder, predictor=predictor, **kwargs))


def one_step(model, frames, samples):
    """One step of mmengine's training loop; the parameters and statistics that it changed."""
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    data = dict(inputs=list(frames.to(torch.uint8)), data_samples=samples)
    log = model.train().train_step(data, wrapper)
    after = model.state_dict()
    return log, {name for name in after if not torch.equal(after[name], before[name])}


@pytest.mark.parametrize('name', DETECTORS)
def test_trains_the_predictor_alone_and_predicts_instances_per_step(small_detector, name):
    model = forecaster(small_detector(name), test_cfg=dict(rollout_steps=3))
    log, changed = one_step(model, *clips())
    levels = len(model.encoder.level_names)
    assert set(log) == {'loss', *(f'loss_mse_l{level}' for level in range(levels))}
    assert changed == {name for name in model.state_dict() if name.startswith('predictor.')}
    assert all(p.grad is None for p in model.encoder.parameters())
    frames, samples = clips(batch=1, length=7)
    (sample,) = model.eval().predict(frames, samples)
    assert len(sample.pred_instances) == 3
    assert all(len(found) > 0 for found in sample.pred_instances)
    assert not torch.equal(sample.pred_instances[0].bboxes, sample.pred_instances[2].bboxes)


def test_every_level_rolls_on_in_its_own_space_oldest_frame_first(small_detector):
    model = forecaster(small_detector('mask-rcnn'), test_cfg=dict(rollout_steps=3)).eval()
    frames, samples = clips(batch=1)
    with torch.no_grad():
        future = model(frames, samples, mode='tensor')
        past = model.encode(frames[:, :4], samples)
        for net, level, forecast in zip(model.predictor.nets, past, future):
            window = [level[:, step] for step in range(4)]
            for step in range(3):
                window.append(net(torch.cat(window[-4:], dim=1))[0])
                assert torch.equal(forecast[:, step], window[-1])


def test_losses_of_a_roll_out_add_up_over_steps_and_reach_the_first(small_detector):
    model = forecaster(small_detector('mask-rcnn'), levels=('P5',), train_cfg=dict(rollout_steps=3)).train()
    frames, samples = clips(length=7)
    losses = model(frames, samples, mode='loss')
    assert list(losses) == [f't+{step}.loss_mse' for step in (1, 2, 3)]
    truth = model.encode(frames, samples)[0][:, 4:]
    future = model(frames, samples, mode='tensor')[0]
    for step, loss in enumerate(losses.values()):
        expected = (future[:, step] - truth[:, step]).square().mean()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    bias = model.predictor.nets[0].scales[0][-1].conv.bias
    last = torch.autograd.grad(losses['t+3.loss_mse'], bias, retain_graph=True)[0]
    direct = (2 * (future[:, 2] - truth[:, 2])).sum(dim=(0, 2, 3)) / truth[:, 2].numel()
    assert not torch.allclose(last, direct)  # the earlier steps have their part in it


@pytest.mark.parametrize('name', DETECTORS)
def test_detector_losses_reach_the_predictor_through_the_frozen_heads(small_detector, name):
    model = forecaster(small_detector(name), predictor=dict(losses=None), train_cfg=dict(detector_loss=0.5))
    log, changed = one_step(model, *clips())
    assert all(key.startswith('detector.') for key in log if key != 'loss')
    assert any('cls' in key for key in log) and any('bbox' in key for key in log)
    assert ('detector.loss_mask' in log) == (name == 'mask-rcnn')
    assert changed and all(key.startswith('predictor.') for key in changed)
    assert all(p.grad is None for p in model.encoder.parameters())


def test_detector_losses_are_weighed_and_come_beside_the_others(small_detector):
    totals = []
    frames, samples = clips(batch=1)
    for weight in (1.0, 0.25):
        torch.manual_seed(0)  # of the networks, and of the heads' samplers
        model = forecaster(small_detector('retinanet'), train_cfg=dict(detector_loss=weight))
        losses = model.train()(frames, samples, mode='loss')
        assert 'loss_mse_l4' in losses
        parts = [v for k, v in losses.items() if k.startswith('detector.')]
        totals.append(sum(sum(p) if isinstance(p, list) else p for p in parts).item())
    assert totals[1] == pytest.approx(0.25 * totals[0], rel=1e-5)


def test_detector_losses_need_labels(small_detector):
    model = forecaster(small_detector('retinanet'), train_cfg=dict(detector_loss=1.0)).train()
    message = 'no frame of the batch has any: add LoadClipInstances'
    frames, samples = clips(labelled=(2,))  # a past one
    with pytest.raises(ValueError, match=message):
        model(frames, samples, mode='loss')
    frames, samples = clips()
    for sample in samples:  # label maps alone
        del sample.gt_instance_map
    with pytest.raises(ValueError, match=message):
        model(frames, samples, mode='loss')


def test_instances_for_the_detector_are_at_the_size_it_works_at():
    _, (sample, _) = clips()
    id_map = sample.gt_instance_map.data[4].clone()
    id_map[0:6, 60:61] = 33005  # two pixels wide when enlarged: too small to train on
    given = detector_sample(SIZE, (128, 192), (160, 224), id_map)
    assert given.scale_factor == (2.0, 2.0) and given.ori_shape == SIZE
    assert given.img_shape == (128, 192)
    assert given.batch_input_shape == given.pad_shape == (160, 224)
    truth = given.gt_instances
    assert truth.labels.tolist() == [0, 2]
    assert truth.bboxes.tolist() == [[20, 16, 60, 80], [80, 60, 180, 120]]
    masks = torch.from_numpy(truth.masks.masks)
    assert masks.shape == (2, 160, 224)
    assert masks[1, 60:120, 80:180].bool().all() and masks[1].sum() == 60 * 100


def test_windows_show_the_same_part_at_all_levels_of_past_and_target():
    """Every cell holds the pixel position of its upper left corner."""

    def positions(frames):
        levels = []
        for stride in (4, 8, 16):
            y, x = torch.meshgrid(torch.arange(0, 64, stride), torch.arange(0, 96, stride), indexing='ij')
            levels.append(torch.stack((y, x)).expand(1, frames, 2, *y.shape))
        return levels

    corners = set()
    for _ in range(40):
        past, target = random_crop([positions(4), positions(1)], (8, 12))
        assert [tuple(level.shape) for level in past] == [
            (1, 4, 2, 8, 12),
            (1, 4, 2, 4, 6),
            (1, 4, 2, 2, 3),
        ]
        upper_left = {tuple(level[0, -1, :, 0, 0].tolist()) for level in past + target}
        lower_right = {
            tuple((level[0, -1, :, -1, -1] + stride).tolist())
            for level, stride in zip(past + target, (4, 8, 16) * 2)
        }
        assert len(upper_left) == len(lower_right) == 1
        corners |= upper_left
    assert {y for y, _ in corners} == {0, 16, 32} and {x for _, x in corners} == {0, 16, 32, 48}


def test_trains_on_windows_of_the_maps(small_detector):
    model = forecaster(small_detector('mask-rcnn'), train_cfg=dict(crop_size=(8, 16))).train()
    seen = []
    for net in model.predictor.nets:
        net.register_forward_pre_hook(lambda _, args: seen.append(tuple(args[0].shape[-2:])))
    model(*clips(), mode='loss')
    assert seen == [(8, 16), (4, 8), (2, 4), (1, 2)]


REFERENCE = dict(detector_loss=0.5, detector_targets='reference', score_thr=0.02)


@pytest.mark.parametrize('name', ['mask-rcnn', 'retinanet'])
def test_detector_learns_from_what_it_finds_in_the_true_future(small_detector, name):
    """Without labels; the targets are its own instances of every future frame, of all its classes."""
    detector = small_detector(name)
    model = forecaster(detector, predictor=dict(losses=None), train_cfg=dict(rollout_steps=2, **REFERENCE))
    frames, samples = clips(length=6, labelled=())
    seen = []
    model.encoder.detector.loss = lambda features, targets: (
        seen.append((model.encoder.detector.extract_feat(None), targets)) or dict(loss=features.sum())
    )
    with torch.no_grad():
        losses = model.train()(frames, samples, mode='loss')
        future = model(frames, samples, mode='tensor')
        truth = model.encode(frames, samples)
    ((features, targets),) = seen
    clips_steps = [(clip, step) for clip in range(2) for step in range(2)]
    for number, (clip, step) in enumerate(clips_steps):
        assert torch.equal(features[0][number], future[0][clip, step])
        (found,) = detect(model.encoder, [level[clip, 4 + step, None] for level in truth], SIZE)
        found = found[found.scores >= 0.02]
        targets_of_frame = targets[number].gt_instances
        sides = found.bboxes[:, 2:] - found.bboxes[:, :2]
        found = found[(sides >= 4).all(dim=1)]
        assert len(found) == len(targets_of_frame) > 0
        order, other = found.bboxes.sum(dim=1).argsort(), targets_of_frame.bboxes.sum(dim=1).argsort()
        assert torch.allclose(targets_of_frame.bboxes[other], found.bboxes[order], atol=1e-4)
        assert torch.equal(targets_of_frame.labels[other], found.labels[order])
        assert ('masks' in targets_of_frame) == (name == 'mask-rcnn')
    assert losses['detector.loss'] == pytest.approx(0.5 * float(features[0].sum()), rel=1e-4)


def test_reference_targets_reach_the_predictor_alone(small_detector):
    model = forecaster(small_detector('mask-rcnn'), predictor=dict(losses=None), train_cfg=REFERENCE)
    log, changed = one_step(model, *clips(labelled=()))
    assert log['detector.loss_mask'] > 0 and changed
    assert all(name.startswith('predictor.') for name in changed)


def test_reference_targets_are_at_the_size_that_the_detector_works_at(small_detector):
    detector = DetectorEncoder(small_detector('mask-rcnn')).detector
    masks = torch.zeros(2, 64, 96, dtype=torch.bool)
    masks[0, 16:48, 32:64] = True
    found = InstanceData(
        bboxes=torch.tensor([[32.0, 16, 64, 48], [0, 0, 6, 40]]), labels=torch.tensor([2, 5]), masks=masks
    )
    targets = reference_sample(detector, (64, 96), (32, 48), (32, 64), found).gt_instances
    assert targets.bboxes.tolist() == [[16, 8, 32, 24]]  # the other is 3 pixels wide
    assert targets.labels.tolist() == [2] and targets.masks.masks.shape == (1, 32, 64)
    assert targets.masks.masks.sum() == 16 * 16 and targets.masks.masks[0, 8:24, 16:32].all()


def test_reference_targets_need_a_detector_that_does_not_change(small_detector):
    with pytest.raises(ValueError, match="'reference' are the detector's own instances.* frozen=True"):
        forecaster(small_detector('retinanet'), encoder=dict(frozen=False), train_cfg=REFERENCE)
    with pytest.raises(ValueError, match='train_cfg: detector_targets must be one of'):
        forecaster(small_detector('retinanet'), train_cfg=dict(detector_targets='own'))


def test_refuses_windows_that_do_not_fit(small_detector):
    detector = small_detector('mask-rcnn')
    for size in ((24, 8), (12, 8)):
        model = forecaster(detector, train_cfg=dict(crop_size=size)).train()
        with pytest.raises(ValueError, match=r'fit into the finest maps, 16x24.* multiple of 8'):
            model(*clips(), mode='loss')
    with pytest.raises(ValueError, match='crop_size or detector_loss, not both'):
        forecaster(detector, train_cfg=dict(crop_size=(8, 8), detector_loss=1.0))
    uneven = forecaster(small_detector('fcos'), train_cfg=dict(crop_size=(4, 4))).train()
    with pytest.raises(ValueError, match='levels of 1x2 and 8x12 cells have no windows in common'):
        uneven(*clips(), mode='loss')


def test_a_trained_along_detector_gets_gradients(small_detector):
    model = forecaster(
        small_detector('faster-rcnn'),
        predictor=dict(losses=None),
        encoder=dict(frozen=False),
        train_cfg=dict(detector_loss=1.0),
    )
    _, changed = one_step(model, *clips())
    assert any(name.startswith('encoder.detector.backbone') for name in changed)
    assert any(name.startswith('encoder.detector.roi_head') for name in changed)


@pytest.mark.parametrize('name, features', [('mask-rcnn-c4', r'\(32, 16, 16\)'), ('detr', '256, 8')])
def test_refuses_detectors_without_a_pyramid(small_detector, name, features):
    message = rf'no feature pyramid that F2F could forecast: .*{features}.*neck like FPN'
    with pytest.raises(ValueError, match=message):
        DetectorEncoder(small_detector(name))


def test_refuses_levels_that_do_not_match(small_detector):
    detector = small_detector('mask-rcnn')
    for levels in (('P6',), ('P5', 'P2'), ('p5',)):
        with pytest.raises(ValueError, match=r"the detector has \('P2', 'P3', 'P4', 'P5'\)"):
            forecaster(detector, levels=levels)
    with pytest.raises(ValueError, match='built for num_levels=3, but the representation has num_levels=2'):
        forecaster(detector, levels=('P4', 'P5'), predictor=dict(num_levels=3, num_scales=(1, 1, 1)))
    with pytest.raises(ValueError, match='built for channels=8, but the representation has channels=16'):
        forecaster(detector, predictor=dict(channels=8))


def test_refuses_other_encoders_unknown_keys_and_mixed_or_short_clips(small_detector):
    detector = small_detector('retinanet')
    with pytest.raises(ValueError, match='must be a DetectorEncoder, not RGBEncoder'):
        F2FForecaster(dict(type='RGBEncoder'), dict(type='CopyLast'))
    with pytest.raises(ValueError, match=r"unknown keys \['crop'\] in train_cfg"):
        forecaster(detector, train_cfg=dict(crop=(8, 8)))
    model = forecaster(detector).train()
    with pytest.raises(ValueError, match='set num_future of the training dataset to 1'):
        model(*clips(length=4, labelled=()), mode='loss')
    mixed = [torch.zeros(5, 3, 64, 96), torch.zeros(5, 3, 96, 64)]
    with pytest.raises(ValueError, match='different shapes'):
        model.data_preprocessor(dict(inputs=mixed))
