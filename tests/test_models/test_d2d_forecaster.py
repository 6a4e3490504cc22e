"""D2D as a whole: network, forecaster, decoder, and what must not make it fall over."""

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData

from mmforecast.apis import StreamingForecaster
from mmforecast.apis.evaluate import load_config
from mmforecast.models.decoders import DistanceMapDecoder
from mmforecast.models.forecasters import D2DForecaster
from mmforecast.models.losses import ObjectL1Loss, object_l1_loss
from mmforecast.models.predictors import D2DPredictor, ForecastContext
from mmforecast.registry import DATASETS, MODELS
from mmforecast.structures import ForecastDataSample

SIZE = (32, 64)
CAR, PERSON = 26, 24
LOSSES = dict(l1=dict(type='ObjectL1Loss'), gdl=dict(type='GDLoss'))
SMALL = dict(type='D2DPredictor', widths=(8, 8), dilations=(1, 2, 1), losses=LOSSES)
WARP = dict(
    type='WarpCorrectPredictor',
    channels=9,
    motion_widths=(8, 8),
    motion_dilations=(1, 2),
    correction_widths=(8,),
    losses=LOSSES,
)


def id_map(**boxes):
    """(H, W) of road with ids in boxes: ``_26001=(y1, x1, y2, x2)``."""
    ids = np.full(SIZE, 7, dtype=np.int32)
    for key, (y1, x1, y2, x2) in boxes.items():
        ids[max(y1, 0) : y2, max(x1, 0) : x2] = int(key[1:])
    return ids


def sample_of(maps, num_past=4):
    sample = ForecastDataSample(
        metainfo=dict(
            sequence_id='street',
            num_past=num_past,
            num_future=len(maps) - num_past,
            labelled=[True] * len(maps),
            img_shape=SIZE,
        )
    )
    sample.gt_instance_map = PixelData(data=torch.from_numpy(np.stack(maps)))
    return sample


def frames_for(samples):
    return torch.rand(len(samples), len(samples[0].labelled), 3, *SIZE) * 255


def oracle(steps=3, **decoder):
    model = D2DForecaster(
        dict(type='DistanceMapEncoder'),
        dict(type='Oracle'),
        dict(type='DistanceMapDecoder', **decoder),
        test_cfg=dict(rollout_steps=steps),
    )
    return model.eval()


def forecast(maps, **decoder):
    """Instances of the steps after four past frames, on the true future maps."""
    sample = sample_of(maps)
    model = oracle(len(maps) - 4, **decoder)
    (out,) = model(frames_for([sample]), [sample], mode='predict')
    return out


# The network.


@pytest.mark.parametrize('channels, count', [(8, 784_008), (9, 789_769), (19, 847_379)])
def test_parameters_of_the_default_network(channels, count):
    with torch.device('meta'):
        net = D2DPredictor(channels=channels)
    assert sum(p.numel() for p in net.parameters()) == count


def test_the_receptive_field_is_21_pixels():
    net = D2DPredictor(channels=1, num_past=1, widths=(2, 2, 2, 2), value_range=None)
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.ones_(module.weight)
    maps = torch.ones(1, 1, 1, 41, 41, requires_grad=True)
    net([maps], None)[0][0, 0, 0, 20, 20].backward()
    rows = maps.grad[0, 0, 0].any(dim=1).nonzero().flatten()
    assert (rows.min(), rows.max()) == (10, 30)


def test_the_window_is_clamped_and_the_output_is_not():
    net = D2DPredictor(channels=2, num_past=2, widths=(4,), dilations=(1, 1), residual=True)
    maps = torch.randn(1, 2, 2, 6, 8) * 3
    assert torch.equal(net([maps], None)[0][:, 0], maps[:, -1].clamp(-1, 1))  # starts as copy-last
    net.init_weights()
    torch.nn.init.constant_(net.net[-1].conv.bias, 5.0)
    assert net([maps], None)[0].max() > 1
    other = D2DPredictor(channels=2, num_past=2, widths=(4,), dilations=(1, 1), value_range=None)
    assert not torch.equal(other([maps], None)[0], other([maps.clamp(-1, 1)], None)[0])
    with pytest.raises(ValueError, match='value_range must be'):
        D2DPredictor(value_range=(1, -1))
    with pytest.raises(ValueError, match='losses is empty'):
        net.loss_and_predict([maps], [maps[:, :1]], None)
    with pytest.raises(ValueError, match='built for num_past=2 maps of 2 channels'):
        net([maps[:, :1]], None)


def test_pixels_of_objects_weigh_more_in_every_channel():
    pred, target = torch.zeros(1, 9, 1, 2), torch.full((1, 9, 1, 2), -1.0)
    target[0, 3, 0, 0], target[0, 0, 0, 1] = 0.0, 0.0  # an object, and background
    expected = (5 * 8 + 1 * 8) / 18
    assert object_l1_loss(pred, target).item() == pytest.approx(expected)
    assert ObjectL1Loss(object_weight=0, loss_weight=2)(pred, target).item() == pytest.approx(16 / 9)
    with pytest.raises(ValueError, match='must have the same shape'):
        object_l1_loss(pred, target[..., :1])
    with pytest.raises(ValueError, match='object_weight must be 0 or more'):
        ObjectL1Loss(object_weight=-1)


# The forecaster.


@pytest.mark.parametrize('predictor', [SMALL, WARP], ids=['d2d', 'warp'])
def test_it_trains_through_steps_and_predicts(predictor):
    maps = [id_map(_26001=(10, 8 + 4 * t, 20, 20 + 4 * t)) for t in range(7)]
    samples = [sample_of(maps), sample_of(maps[::-1])]
    model = D2DForecaster(dict(type='DistanceMapEncoder'), predictor, train_cfg=dict(rollout_steps=3))
    losses = model(frames_for(samples), samples, mode='loss')
    assert set(losses) == {f't+{n}.loss_{name}' for n in (1, 2, 3) for name in ('l1', 'gdl')}
    total, _ = model.parse_losses(losses)
    total.backward()
    assert all(p.grad is not None for p in model.predictor.parameters())
    out = model.eval()(frames_for(samples), samples, mode='predict')
    for sample in out:
        assert sample.pred_sem_seg.data.shape == sample.ref_sem_seg.data.shape == (3, *SIZE)
        assert len(sample.pred_instances) == 3
        assert set(sample.ref_sem_seg.data.unique().tolist()) == {13, 255}


def test_it_trains_on_stored_maps_without_frames():
    sample = ForecastDataSample(metainfo=dict(num_past=4))
    sample.scores = torch.rand(5, 9, *SIZE).half()
    model = D2DForecaster(dict(type='DistanceMapEncoder'), SMALL)
    losses = model(torch.zeros(1, 5, 3, 0, 0), [sample], mode='loss')
    assert set(losses) == {'loss_l1', 'loss_gdl'}


def test_objects_of_the_future_stay_out_of_reach(monkeypatch):
    maps = [id_map(_26001=(10, 8 + 2 * t, 20, 20 + 2 * t)) for t in range(7)]
    seen = {}

    def decode(self, future, samples, context=None, target='pred'):
        seen[target] = context, [level.shape for level in future]
        return samples

    monkeypatch.setattr(DistanceMapDecoder, 'decode', decode)
    sample = sample_of(maps)
    oracle()(frames_for([sample]), [sample], mode='predict')
    context, shapes = seen['pred']
    assert context.objects.shape == (1, 4, 3, *SIZE)
    assert [level.shape for level in context.future] == [(1, 3, 9, *SIZE)] == shapes
    assert seen['ref'][0] is context and seen['ref'][1] == shapes


def test_other_future_instances_change_no_forecast():
    past = [id_map(_26001=(10, 8 + 2 * t, 20, 20 + 2 * t)) for t in range(4)]
    futures = [[id_map()] * 3, [id_map(_26001=(0, 0, 30, 60), _24000=(1, 61, 9, 63))] * 3]
    model = D2DForecaster(
        dict(type='DistanceMapEncoder'), dict(type='CopyLast'), test_cfg=dict(rollout_steps=3)
    ).eval()
    samples = [sample_of([*past, *future]) for future in futures]
    frames = frames_for(samples)
    frames[:] = frames[:1]
    one, other = model(frames, samples, mode='predict')
    assert torch.equal(one.pred_sem_seg.data, other.pred_sem_seg.data)
    for a, b in zip(one.pred_instances, other.pred_instances):
        assert torch.equal(a.masks, b.masks) and torch.equal(a.track_ids, b.track_ids)


def test_parts_have_to_fit():
    with pytest.raises(ValueError, match='built for channels=19, but the representation has channels=9'):
        D2DForecaster(dict(type='DistanceMapEncoder'), dict(SMALL, channels=19))
    model = D2DForecaster(
        dict(type='LabelMapEncoder', num_classes=9), SMALL, test_cfg=dict(rollout_steps=1)
    ).eval()
    sample = sample_of([id_map()] * 4)
    sample.gt_sem_seg = PixelData(data=torch.zeros(4, *SIZE, dtype=torch.uint8))
    with pytest.raises(ValueError, match='set encoder to DistanceMapEncoder'):
        model(frames_for([sample]), [sample], mode='predict')


# The decoder.


@pytest.mark.parametrize('seeds', ['core', 'centroid'])
def test_tracks_masks_and_classes_of_moving_objects(seeds):
    maps = [
        id_map(
            _26001=(4, 4 + 3 * t, 14, 18 + 3 * t),
            _26002=(16, 50 - 2 * t, 26, 60 - 2 * t),
            _24003=(5, 56, 15, 60),
        )
        for t in range(7)
    ]
    out = forecast(maps, seeds=seeds, keep_past=True)
    for step, found in enumerate(out.pred_instances):
        truth = out.gt_instances[4 + step]
        assert found.labels.tolist() == [0, 2, 2] and found.track_ids.tolist() == [0, 1, 2]
        assert found.scores.tolist() == [1, 1, 1]
        assert torch.equal(found.masks[1:], truth.masks[truth.labels == 2])
        assert torch.equal(found.masks[0], truth.masks[truth.labels == 0][0])
        assert torch.equal(found.bboxes[1:], truth.bboxes[truth.labels == 2])
        assert found.centroids[1].tolist() == [4 + 3 * (4 + step) + 7, 9]
    assert set(out.pred_sem_seg.data.unique().tolist()) == {11, 13, 255}
    for time, past in enumerate(out.past_instances):
        assert past.track_ids.tolist() == [0, 1, 2] and past.labels.tolist() == [0, 2, 2]
        assert torch.equal(past.masks[1], torch.from_numpy(maps[time] == 26001))


def test_parts_that_no_track_explains_are_left_or_new():
    maps = [id_map(_26001=(4, 4, 14, 18))] * 5 + [id_map(_26001=(4, 4, 14, 18), _24001=(20, 40, 30, 46))]
    _, found = forecast(maps).pred_instances
    assert found.track_ids.tolist() == [0]
    maps.append(maps[-1])
    _, second, third = forecast(maps, new_area=60).pred_instances
    assert second.labels.tolist() == [2, 0] and second.track_ids.tolist() == [0, 1]
    assert third.track_ids.tolist() == [0, 2]  # new in every frame
    assert len(forecast(maps, new_area=61).pred_instances[1]) == 1


def test_scores_follow_the_rule_that_is_asked_for():
    maps = torch.full((1, 1, 9, *SIZE), -1.0)
    maps[0, 0, 0], maps[0, 0, 3, 4:14, 4:18] = -0.5, -0.25
    objects = oracle().encode(None, [sample_of([id_map(_26001=(4, 4, 14, 18))] * 4)])[1]
    objects[:, :, 2] *= 0.8
    expected = dict(margin=0.8 * 0.25, detector=0.8, constant=1.0)
    for score, value in expected.items():
        sample = ForecastDataSample(metainfo=dict(img_shape=SIZE))
        context = ForecastContext(None, [sample], objects=objects)
        DistanceMapDecoder(score=score).decode([maps], [sample], context=context)
        assert sample.pred_instances[0].scores.tolist() == pytest.approx([value])


def test_masks_come_at_the_size_of_the_frames():
    maps = [id_map(_26001=(4, 4 + 4 * t, 16, 20 + 4 * t)) for t in range(5)]
    sample = sample_of(maps)
    model = oracle(1)
    model.encoder.stride = 2
    (out,) = model(frames_for([sample]), [sample], mode='predict')
    (found,) = out.pred_instances
    assert found.masks.shape == (1, *SIZE) and out.pred_sem_seg.data.shape == (1, *SIZE)
    assert torch.equal(found.masks[0], torch.from_numpy(maps[4] == 26001))
    assert found.centroids[0].tolist() == pytest.approx([28, 10])


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(seeds='corner'), "seeds must be one of .*, got 'corner'"),
        (dict(score='best'), "score must be one of .*, got 'best'"),
        (dict(gate=0), 'gate must be above 0, got 0'),
        (dict(levels=0), 'levels must be above 0, got 0'),
        (dict(new_area=0), 'new_area must be above 0, got 0'),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        DistanceMapDecoder(**kwargs)


# Input that is out of the ordinary.

EVERYTHING = (0, 0, *SIZE)


@pytest.mark.parametrize('seeds', ['core', 'centroid'])
@pytest.mark.parametrize(
    'name, past, future, found',
    [
        ('no instance in any past frame', {}, dict(_26001=(4, 4, 14, 18)), []),
        ('nothing at all', {}, {}, []),
        ('one that fills the frame', dict(_26001=EVERYTHING), dict(_26001=EVERYTHING), [2]),
        ('one of one pixel', dict(_24001=(9, 9, 10, 10)), dict(_24001=(9, 9, 10, 10)), [0]),
        (
            'two with the same centroid',
            dict(_26001=(4, 4, 25, 45), _26002=(9, 14, 20, 35)),
            dict(_26001=(4, 4, 25, 45), _26002=(9, 14, 20, 35)),
            [2, 2],
        ),
        ('one that is gone', dict(_26001=(4, 4, 14, 18)), {}, []),
        ('its class elsewhere', dict(_24001=(4, 4, 8, 8)), dict(_24001=(25, 50, 29, 54)), []),
    ],
)
def test_odd_scenes(seeds, name, past, future, found):
    out = forecast([id_map(**past)] * 4 + [id_map(**future)] * 3, seeds=seeds, keep_past=True)
    for instances in out.pred_instances:
        assert instances.labels.tolist() == found
        assert instances.masks.shape == (len(found), *SIZE)
        assert instances.bboxes.shape == (len(found), 4)
        assert instances.masks.sum(dim=0).max() <= 1
    assert torch.equal(out.pred_sem_seg.data, out.ref_sem_seg.data)


@pytest.mark.parametrize('seeds', ['core', 'centroid'])
def test_a_class_of_the_last_frame_alone_moves_with_the_others(seeds):
    maps = [id_map(_26001=(4, 4 + 3 * t, 14, 18 + 3 * t)) for t in range(7)]
    for t in range(3, 7):
        maps[t][20:26, 4 + 3 * t : 8 + 3 * t] = 24001
    for step, found in enumerate(forecast(maps, seeds=seeds).pred_instances):
        assert found.labels.tolist() == [2, 0] and found.track_ids.tolist() == [0, 1]
        assert torch.equal(found.masks[1], torch.from_numpy(maps[4 + step] == 24001))


def test_two_with_the_same_centroid_share_what_is_there():
    box = id_map(_26001=(4, 4, 25, 45), _26002=(9, 14, 20, 35))
    found = forecast([box] * 5).pred_instances[0]
    assert torch.equal(found.masks.any(dim=0), torch.from_numpy(box > 1000))


# Any detector, and frames as they come.


def test_a_stream_is_forecast_as_its_clip(small_detector):
    model = D2DForecaster(
        dict(
            type='DistanceMapEncoder',
            detector=small_detector('mask-rcnn'),
            score_thr=0.0,
            chunk=1,
        ),
        dict(type='FlowWarp'),
        num_past=3,
        test_cfg=dict(rollout_steps=2),
    ).eval()
    video = np.random.default_rng(0).integers(0, 256, (3, 64, 96, 3), dtype=np.uint8)
    stream = StreamingForecaster(model)
    streamed = [stream.update(frame) for frame in video][-1]
    clip = torch.from_numpy(video.transpose(0, 3, 1, 2)).float()[None]
    (whole,) = model.predict(clip, [ForecastDataSample(metainfo=dict(img_shape=(64, 96)))])
    assert torch.equal(streamed.pred_sem_seg.data, whole.pred_sem_seg.data)
    assert len(whole.pred_instances[0]) > 0
    for one, other in zip(streamed.pred_instances, whole.pred_instances):
        for name in ('masks', 'labels', 'scores', 'track_ids'):
            assert torch.equal(one[name], other[name]), name


# The street.


@pytest.fixture(scope='module')
def street(street_root):
    """Samples of every frame triple of the small street that has instances."""
    cfg = dict(
        type='CityscapesSequenceDataset',
        data_root=str(street_root),
        data_prefix=dict(img_path='leftImg8bit_sequence', seg_map_path='gtFine_sequence'),
        split='val',
        num_past=1,
        num_future=1,
        anchor=None,
        pipeline=[dict(type='LoadClipInstances'), dict(type='PackForecastInputs')],
    )
    dataset = DATASETS.build(cfg)
    return [dataset[index]['data_samples'] for index in range(0, len(dataset), 4)]


def test_round_trip_on_true_maps_of_the_street(street):
    """Every frame from its own objects: the label map is exact, and the objects come back."""
    decoder, encoder = DistanceMapDecoder(), MODELS.build(dict(type='DistanceMapEncoder'))
    total = recovered = 0
    for sample in street:
        maps, objects = encoder.encode(None, [sample])
        sample.set_metainfo(dict(num_past=1))
        # standing still: the past frame is the one that is looked for
        context = ForecastContext(None, [sample], objects=objects[:, :1])
        decoder.decode([maps[:, :1]], [sample], context=context)
        truth, found = sample.gt_instances[0], sample.pred_instances[0]
        expected = torch.full_like(sample.pred_sem_seg.data[0], 255)
        for label, mask in zip(truth.labels, truth.masks):
            expected[mask] = 11 + label
        assert torch.equal(sample.pred_sem_seg.data[0], expected)
        total += len(truth)
        for label, mask in zip(truth.labels, truth.masks):
            same = found.masks[found.labels == label]
            iou = (same & mask).sum((1, 2)) / (same | mask).sum((1, 2))
            recovered += bool((iou > 0.5).any())
    assert total > 80 and recovered >= 0.99 * total


def test_baselines_of_the_config(repository):
    cfg = load_config(repository / 'configs/d2d/d2d_warp_tiny_synthetic.py')
    assert cfg.model.type == 'D2DForecaster'
    baselines = D2DForecaster.baselines
    assert list(baselines) == [
        'copy-last',
        'flow',
        'ego-motion',
        'ego-objects',
        'flow-shift',
        'flow-warp',
        'oracle',
    ]
    maps = [id_map(_26001=(4, 4 + 3 * t, 14, 18 + 3 * t)) for t in range(7)]
    for name, change in baselines.items():
        model = MODELS.build({**cfg.model.to_dict(), **change, 'train_cfg': None}).eval()
        sample = sample_of(maps)
        frames = torch.zeros(1, 7, 3, *SIZE)
        model(frames, [sample], mode='predict')  # nothing moves on black frames
        assert [found.labels.tolist() for found in sample.pred_instances] == [[2]] * 3, name
        if name in ('copy-last', 'flow-shift', 'flow-warp'):
            masks = torch.stack([found.masks[0] for found in sample.pred_instances])
            assert masks.eq(torch.from_numpy(maps[3] == 26001)).all()
            assert sample.pred_instances[2].track_ids.tolist() == [0]
    with pytest.raises(ValueError, match="mode must be one of .*, got 'fly'"):
        MODELS.build(dict(type='FlowObjectDecoder', mode='fly'))
