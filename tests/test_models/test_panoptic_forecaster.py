"""Panoptic forecasts: two representations side by side, and the merging of label maps and instances."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData

from mmforecast.apis import (
    baseline_entries,
    build_forecaster,
    build_loader,
    compare,
    evaluate,
    load_config,
    set_horizon,
)
from mmforecast.evaluation import PanopticMetric
from mmforecast.models.encoders import PairedEncoder
from mmforecast.models.forecasters import D2DForecaster, PanopticForecaster, S2SForecaster
from mmforecast.models.predictors import BasePredictor, ForecastContext
from mmforecast.models.utils.load_network import weights_to_train
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

SIZE = (16, 24)
ENCODER = dict(
    type='PairedEncoder',
    instances=dict(type='InstanceMapEncoder'),
    semantics=dict(type='LabelMapEncoder', num_classes=19),
)
WARP = dict(
    type='WarpCorrectPredictor',
    motion_widths=(4,),
    motion_dilations=(1,),
    correction_widths=(4,),
    losses=dict(l1=dict(type='mmdet.L1Loss')),
)
LEARNED = dict(type='PairedPredictor', instances=dict(type='CopyLast'), semantics=WARP)


def street_clip(num_frames=7):
    """Frames and the sample of a clip: sky over road, a car that drives to the right, a group, and void."""
    ids = torch.full((num_frames, *SIZE), 7, dtype=torch.int32)
    ids[:, :6] = 23
    ids[:, 14:, :4] = 0
    ids[:, 7:9, :3] = 26
    for time in range(num_frames):
        ids[time, 8:13, 3 + 2 * time : 9 + 2 * time] = 26001
    labels = torch.full(ids.shape, 255, dtype=torch.uint8)
    for value, train_id in ((7, 0), (23, 10), (26, 13), (26001, 13)):
        labels[ids == value] = train_id
    sample = ForecastDataSample(
        metainfo=dict(
            sequence_id='street', num_past=4, num_future=3, img_shape=SIZE, labelled=[True] * num_frames
        ),
        gt_sem_seg=PixelData(data=labels),
        gt_instance_map=PixelData(data=ids),
    )
    frames = torch.stack([labels.float()] * 3, dim=1)[None]
    return frames, sample


def forecaster(predictor=LEARNED, **kwargs):
    settings = dict(panoptic=dict(type='PanopticDecoder', stuff_area=0), test_cfg=dict(rollout_steps=3))
    return PanopticForecaster(ENCODER, predictor, **{**settings, **kwargs})


def score(model):
    frames, sample = street_clip()
    model.eval()(frames, [sample], mode='predict')
    metric = PanopticMetric()
    metric.process(None, [sample])
    return metric.compute_metrics(metric.results), sample


def test_parts_get_their_own_shapes():
    model = forecaster()
    assert model.encoder.num_levels == 2 and not model.encoder.from_rgb
    assert (model.predictor.num_past, model.predictor.num_levels) == (4, 2)
    parts = model.predictor.instances, model.predictor.semantics
    assert [(part.num_past, part.channels, part.num_levels) for part in parts] == [(4, 3, 1), (4, 19, 1)]
    with pytest.raises(ValueError, match='semantics: WarpCorrectPredictor was built for channels=5'):
        forecaster({**LEARNED, 'semantics': {**WARP, 'channels': 5}})
    with pytest.raises(ValueError, match='PairedEncoder.*not LabelMapEncoder'):
        PanopticForecaster(ENCODER['semantics'], LEARNED)


class Watching(BasePredictor):
    """Copy-last that keeps what it sees."""

    def forward(self, past, context):
        context.state.setdefault('steps', []).append(context.step)
        self.seen = past, context
        return [maps[:, -1:] for maps in past]


def test_parts_see_their_own_levels_context_and_state():
    frames, sample = street_clip()
    model = forecaster(
        dict(type='PairedPredictor', instances=dict(type=Watching), semantics=dict(type=Watching))
    )
    past, context = model.split(model.encode(frames, [sample]), frames, [sample])
    model.rollout(past, 3, context)
    for part, channels in (('instances', 3), ('semantics', 19)):
        window, own = getattr(model.predictor, part).seen
        assert [maps.shape[:3] for maps in window] == [(1, 4, channels)]
        assert [maps.shape[:3] for maps in own.future] == [(1, 3, channels)]
        assert own.encoder is getattr(model.encoder, part) and own.state == {'steps': [0, 1, 2]}
    assert context.encoder is model.encoder and set(context.state) == {'instances', 'semantics'}
    with pytest.raises(ValueError, match='PairedPredictor works on .* set encoder to PairedEncoder'):
        model.predictor(past, ForecastContext(frames, [sample]))


def test_both_parts_are_trained():
    frames, sample = street_clip()
    losses = forecaster().loss(frames, [sample])
    assert list(losses) == ['semantics.loss_l1']  # the other has nothing to train
    model = forecaster({**LEARNED, 'instances': WARP}, train_cfg=dict(rollout_steps=2))
    losses = model.loss(frames, [sample])
    assert list(losses) == [
        f't+{step}.{part}.loss_l1' for step in (1, 2) for part in ('instances', 'semantics')
    ]
    sum(losses.values()).backward()
    for part in (model.predictor.instances, model.predictor.semantics):
        assert sum(float(weight.grad.abs().sum()) for weight in part.parameters()) > 0
    with pytest.raises(ValueError, match='nothing to train'):
        forecaster({**LEARNED, 'semantics': dict(type='CopyLast')}).loss(frames, [sample])


def test_a_part_that_learns_nothing_is_not_run_in_training(monkeypatch):
    """The losses of the other are those of a forecaster of its own."""
    frames, sample = street_clip()
    model = forecaster(train_cfg=dict(rollout_steps=3))
    with torch.no_grad():
        model.predictor.semantics.corrections[0][-1].conv.bias.uniform_(-0.1, 0.1)
    alone = S2SForecaster(ENCODER['semantics'], WARP, train_cfg=dict(rollout_steps=3))
    alone.predictor.load_state_dict(model.predictor.semantics.state_dict())
    calls = []
    encode = model.encoder.instances.encode
    monkeypatch.setattr(
        model.encoder.instances, 'encode', lambda *args: calls.append('encoded') or encode(*args)
    )
    losses, expected = model.loss(frames, [sample]), alone.loss(frames, [sample])
    assert losses.keys() == {name.replace('loss', 'semantics.loss') for name in expected} and not calls
    for ours, theirs in zip(losses.values(), expected.values(), strict=True):
        torch.testing.assert_close(ours, theirs)
    model.eval()(frames, [sample], mode='predict')
    assert calls and sample.pred_panoptic.data.shape[-2:] == SIZE


def test_parts_start_as_their_baselines():
    frames, sample = street_clip()
    drawn = dict(type='Kaiming', layer='Conv2d', bias=0.5)
    model = forecaster({**LEARNED, 'semantics': {**WARP, 'init_cfg': drawn}})
    model.init_weights()
    flow = forecaster({**LEARNED, 'semantics': dict(type='FlowWarp')})
    found = [net.eval()(frames, [sample], mode='tensor') for net in (model, flow)]
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_a_part_from_a_checkpoint_keeps_its_weights(tmp_path):
    whole = MODELS.build(
        dict(
            type='S2SForecaster', encoder=ENCODER['semantics'], predictor=WARP, test_cfg=dict(rollout_steps=3)
        )
    )
    for weight in whole.predictor.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    torch.save(dict(state_dict=whole.state_dict()), tmp_path / 's2s.pth')
    model = forecaster({**LEARNED, 'semantics_checkpoint': str(tmp_path / 's2s.pth')})
    model.init_weights()
    model.train()
    assert not weights_to_train(model) and not model.predictor.semantics.training
    # the same label maps as the forecaster that it comes from
    frames, sample = street_clip()
    whole.eval()(frames, [sample], mode='predict')
    _, joint = score(model)
    assert torch.equal(sample.pred_sem_seg.data, joint.pred_sem_seg.data)


def test_parts_must_agree_in_steps_per_call():
    class Three(Watching):
        num_outputs = 3

    with pytest.raises(ValueError, match='instances gives 3 steps per call but semantics 1'):
        forecaster({**LEARNED, 'instances': dict(type=Three)})


def test_encoders_must_tell_their_levels():
    class Silent(type(MODELS.build(dict(type='RGBEncoder')))):
        num_levels = None

    with pytest.raises(ValueError, match='semantics=Silent does not tell its number of levels'):
        PairedEncoder(dict(type='InstanceMapEncoder'), dict(type=Silent))


def test_truth_of_instances_is_read_back():
    frames, sample = street_clip()
    encoder = MODELS.build(dict(type='InstanceMapEncoder'))
    (maps,) = encoder.encode(frames, [sample])
    found = encoder.instances_of([maps[:, 2]], SIZE)[0]
    truth = sample.gt_instances[2]
    assert torch.equal(found.masks, truth.masks) and torch.equal(found.labels, truth.labels)
    assert found.scores.tolist() == [1]
    sample.set_metainfo(dict(labelled=[True] * 6 + [False]))
    with pytest.raises(ValueError, match='InstanceMapEncoder.*without labels'):
        encoder.encode(frames, [sample])
    del sample.gt_instance_map
    with pytest.raises(ValueError, match='InstanceMapEncoder.*LoadClipInstances'):
        encoder.encode(frames, [sample])


@pytest.mark.parametrize('name', PanopticForecaster.baselines)
def test_baselines(name):
    """The oracle is perfect, against the truth and against its own output; frames that move score between."""
    found, sample = score(forecaster(**PanopticForecaster.baselines[name]))
    assert sample.pred_panoptic.data.shape == (3, *SIZE) and sample.pred_panoptic.data.dtype == torch.int32
    if name == 'oracle':
        assert all(value == pytest.approx(100) for value in found.values())
        # void stays unknown, groups are dropped, and the rest is the truth
        truth = sample.gt_panoptic.data[4:]
        same = sample.pred_panoptic.data == truth
        assert same[(truth == 7) | (truth == 23)].all()
        assert (sample.pred_panoptic.data[truth == 26001] == 26000).all()
        return
    assert found['PQ-stuff'] > 50 and found['PQ'] < 99
    if name == 'copy-last':
        ids = sample.pred_panoptic.data
        assert torch.equal(ids[0], ids[2])
        # at t+1 the car has moved by a third of its width: IoU 4 / 8
        assert found['t+1/PQ-things'] == 0


def test_instances_over_semantics_of_the_sample():
    """stuff_area is a share of 1024x2048; label_ids name other classes; boxes are filled."""
    size = (64, 128)
    labels = torch.zeros((1, *size), dtype=torch.uint8)
    labels[0, :4, :4] = 1  # 16 of 8192 pixels: as 4096 of 1024x2048
    boxes = InstanceData(
        labels=torch.tensor([2]), scores=torch.tensor([0.9]), bboxes=torch.tensor([[64.0, 32, 128, 64]])
    )

    def merged(**settings):
        sample = ForecastDataSample(metainfo=dict(img_shape=size))
        sample.pred_sem_seg, sample.pred_instances = PixelData(data=labels), [boxes]
        MODELS.build(dict(type='PanopticDecoder', **settings)).decode([], [sample])
        return dict(zip(*(found.tolist() for found in sample.pred_panoptic.data.unique(return_counts=True))))

    assert merged() == {7: 6128, 8: 16, 26000: 2048}
    assert merged(stuff_area=4097) == {0: 16, 7: 6128, 26000: 2048}
    assert merged(label_ids=[11, 0]) == {0: 16, 11: 6128, 26000: 2048}
    assert merged(score_thr=0.95) == {7: 8176, 8: 16}


def test_what_is_missing_is_named():
    decoder = MODELS.build(dict(type='PanopticDecoder'))
    sample = ForecastDataSample(metainfo=dict(img_shape=SIZE))
    sample.pred_sem_seg = PixelData(data=torch.zeros((1, *SIZE), dtype=torch.uint8))
    with pytest.raises(ValueError, match='writes no instances'):
        decoder.decode([], [sample])
    own = InstanceData(metainfo=dict(instance_classes=('cat',)), labels=torch.tensor([0]))
    sample.pred_instances = [own]
    with pytest.raises(ValueError, match="the 1 classes of the detector.*classes='cityscapes'"):
        decoder.decode([], [sample])
    del sample.pred_sem_seg
    with pytest.raises(ValueError, match='writes no label maps'):
        decoder.decode([], [sample])
    decoder.decode([], [sample], target='ref')  # nothing to merge is no error there
    assert 'ref_panoptic' not in sample
    with pytest.raises(ValueError, match=r'label_ids must hold, .* got .7, 9.'):
        MODELS.build(dict(type='PanopticDecoder', label_ids=[7, 9]))
    with pytest.raises(ValueError, match='overlap_thr must'):
        MODELS.build(dict(type='PanopticDecoder', overlap_thr=1.5))


@pytest.fixture
def config(repository, street_root):
    def load(name):
        options = {
            'test_dataloader.dataset.data_root': str(street_root),
            'test_dataloader.num_workers': 0,
            'test_dataloader.persistent_workers': False,
        }
        return load_config(str(repository / f'configs/panoptic/{name}.py'), options)

    return load


def test_one_table_of_true_maps(config):
    """Two ways to the same representation: their copies agree, and no forecast is above the oracle."""
    labels, d2d = config('panoptic_labels_tiny_synthetic'), config('panoptic_d2d_tiny_synthetic')
    assert d2d.model.encoder.pop('stride') == 2  # at full resolution, as the labels are
    assert issubclass(MODELS.get(d2d.model.type), D2DForecaster)
    rows = {}
    for cfg in (labels, d2d):
        for row in compare(baseline_entries(cfg, ['copy-last', 'oracle']), horizons=[1]):
            rows.setdefault(row['method'], []).append(row)
    for row in rows['oracle'][:1]:
        for key in ('PQ', 'SQ', 'RQ', 'PQ-things', 'PQ-stuff', 'REF/PQ', 'mIoU', 'AP50'):
            assert row[f'{key} @0.18s'] == pytest.approx(100)
    # D2D's instances grow from those of the past, and miss what comes into view
    assert rows['oracle'][1]['PQ-stuff @0.18s'] == pytest.approx(100)
    assert 20 < rows['oracle'][1]['PQ-things @0.18s'] < 100
    copies = [
        [row[f'{key} @0.18s'] for key in ('PQ', 'PQ-things', 'mIoU', 'AP50')] for row in rows['copy-last']
    ]
    np.testing.assert_allclose(copies[0], copies[1])
    assert 0 < copies[0][0] < 100


def test_a_detector_and_a_segmentor(config):
    """The oracle's forecast is what the networks make of the true frames, whatever they see in them."""
    cfg = config('panoptic_f2f-s2s_tiny_synthetic')
    cfg.model.encoder.semantics.checkpoint = None
    cfg.test_dataloader.dataset.indices = 1
    set_horizon(cfg, 1)
    model = build_forecaster(cfg, changes=PanopticForecaster.baselines['oracle'])
    assert model.encoder.from_rgb and isinstance(model.encoder, PairedEncoder)
    scores = evaluate(model, build_loader(cfg), cfg.test_evaluator)
    assert scores['REF/PQ'] == pytest.approx(100) and scores['REF/PQ-things'] == pytest.approx(100)
    assert scores['PQ'] < 100 and scores['AP50'] > 10
