"""Mask H2F: the detector itself, trained to output the future."""

import pytest
import torch
from mmengine.structures import PixelData

from mmforecast.models.forecasters import F2FForecaster
from mmforecast.models.predictors import FeatureFusion
from mmforecast.structures import ForecastDataSample

SIZE = (64, 96)


def clips(batch=1, length=4):
    frames = torch.randint(0, 256, (batch, length, 3, *SIZE)).float()
    id_map = torch.full((length, *SIZE), 7, dtype=torch.int32)
    id_map[:, 10:40, 20:60] = 26_001
    samples = []
    for _ in range(batch):
        meta = dict(img_shape=SIZE, labelled=[True] * length, num_past=2)
        samples.append(ForecastDataSample(metainfo=meta, gt_instance_map=PixelData(data=id_map.clone())))
    return frames, samples


def forecaster(detector, predictor, **train_cfg):
    torch.manual_seed(0)
    return F2FForecaster(
        dict(type='DetectorEncoder', detector=detector, frozen=not train_cfg),
        predictor,
        num_past=2,
        train_cfg=dict(rollout_steps=2, **train_cfg),
    )


FUSION = dict(type='FeatureFusion', channels=16, num_past=2)


def test_untrained_it_copies_the_newest_maps_exactly():
    past = [torch.randn(2, 3, 4, 8, 8), torch.randn(2, 3, 4, 4, 4)]
    fusion = FeatureFusion(channels=4, num_levels=2, num_past=3)
    fusion.init_weights()
    for level, maps in zip(fusion(past, None), past):
        assert torch.equal(level, maps[:, -1:])


def test_it_reads_all_past_maps_oldest_first():
    fusion = FeatureFusion(channels=1, num_levels=1, num_past=3)
    fusion.fusions[0].weight.data = torch.tensor([100.0, 10.0, 1.0]).view(1, 3, 1, 1)
    fusion.fusions[0].bias.data.fill_(0.5)
    (out,) = fusion([torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1, 1)], None)
    assert out.flatten().tolist() == [123.5]


def test_untrained_it_detects_what_copy_last_detects(small_detector):
    config = small_detector('mask-rcnn')
    found = [
        forecaster(config, predictor).eval().predict(*clips_seeded())[0].pred_instances
        for predictor in (FUSION, dict(type='CopyLast'))
    ]
    for ours, copied in zip(*found, strict=True):
        assert len(ours) > 0
        for name in copied.keys():
            assert torch.equal(ours[name], copied[name]), name


def clips_seeded():
    torch.manual_seed(1)
    return clips()


@pytest.mark.parametrize('name', ['mask-rcnn', 'fcos'])
def test_the_whole_is_trained_end_to_end_on_past_frames_alone(small_detector, name):
    config = small_detector(name)
    config['backbone']['norm_eval'] = True
    levels = 4 if name == 'mask-rcnn' else 5
    model = forecaster(config, dict(FUSION, num_levels=levels), detector_loss=1.0).train()
    before = {k: v.clone() for k, v in model.state_dict().items() if 'running' in k}
    frames, samples = clips(batch=2)
    losses = model(frames, samples, mode='loss')
    assert all(key.startswith('detector.') for key in losses)
    total, _ = model.parse_losses(losses)
    total.backward()
    for part in (model.predictor.fusions[0], model.encoder.detector.backbone.layer4):
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())
    assert model.predictor.fusions[0].weight.grad[:, :16].abs().sum() > 0  # the older frame too
    after = model.state_dict()
    assert before and all(torch.equal(after[k], v) for k, v in before.items())
    # The future is never looked at: black future frames give the same losses.
    torch.manual_seed(0)
    first, _ = model.parse_losses(model(frames, samples, mode='loss'))
    frames[:, 2:] = 0
    torch.manual_seed(0)
    second, _ = model.parse_losses(model(frames, samples, mode='loss'))
    assert first.item() == second.item()


def test_what_is_missing_is_named(small_detector):
    config = small_detector('mask-rcnn')
    frames, samples = clips(length=3)
    model = forecaster(config, FUSION, detector_loss=1.0)
    with pytest.raises(ValueError, match='set num_future of the training dataset to 2'):
        model(frames, samples, mode='loss')
    with pytest.raises(ValueError, match='FeatureFusion: losses is empty, .* or train_cfg.detector_loss'):
        forecaster(config, FUSION)(*clips(), mode='loss')
