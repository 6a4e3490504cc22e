"""What F2F reads off a pyramid is what mmdet itself finds in the frame that the pyramid comes from."""

import pytest
import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmforecast.models.decoders import DetectionDecoder
from mmforecast.models.encoders import DetectorEncoder
from mmforecast.models.forecasters import F2FForecaster
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import slide, time_cat
from mmforecast.structures import ForecastDataSample, box_regions

DETECTORS = ['mask-rcnn', 'cascade-mask-rcnn', 'faster-rcnn', 'retinanet', 'fcos']
SIZE = (72, 104)  # not a multiple of 32


def clips(batch=1, length=4, size=SIZE):
    """Frames in [0, 255], smooth enough that detectors see something of a shape."""
    noise = torch.rand(batch * length, 3, size[0] // 8, size[1] // 8) * 255
    frames = F.interpolate(noise, size, mode='bilinear').unflatten(0, (batch, length))
    return frames.round(), [ForecastDataSample(metainfo=dict(img_shape=size)) for _ in range(batch)]


def forecaster(detector, predictor='Oracle', num_past=2, steps=2, decoder=None, **kwargs):
    # One frame per pass, as in mmdet's own test loop: convolutions of batches may round otherwise.
    encoder = dict(type='DetectorEncoder', detector=detector, chunk=1, **kwargs)
    return F2FForecaster(
        encoder,
        dict(type=predictor),
        decoder,
        num_past=num_past,
        test_cfg=dict(rollout_steps=steps),
    ).eval()


@torch.no_grad()
def mmdet_finds(detector, frame, size=None):
    """Detections of mmdet in a frame (3, H, W) RGB that a pipeline resized to ``size``."""
    given = tuple(frame.shape[-2:])
    image = frame if size is None else F.interpolate(frame[None], size, mode='bilinear')[0]
    size = size or given
    meta = dict(ori_shape=given, img_shape=size)
    meta['scale_factor'] = (size[1] / given[1], size[0] / given[0])
    data = dict(inputs=[image.flip(0)], data_samples=[DetDataSample(metainfo=meta)])  # BGR
    data = detector.data_preprocessor(data, False)
    return detector.predict(data['inputs'], data['data_samples'], rescale=True)[0].pred_instances


def assert_same(found, expected):
    assert set(found.keys()) == set(expected.keys()) and len(found) == len(expected) > 0
    for name in expected.keys():
        assert torch.equal(found[name], expected[name]), name


@pytest.mark.parametrize('name', DETECTORS)
def test_the_oracle_finds_what_mmdet_finds_in_the_true_future(small_detector, name):
    model = forecaster(small_detector(name))
    frames, samples = clips()
    (sample,) = model.predict(frames, samples)
    assert len(sample.pred_instances) == 2
    for step, found in enumerate(sample.pred_instances):
        assert_same(found, mmdet_finds(model.encoder.detector, frames[0, 2 + step]))
        assert ('masks' in found) == ('mask' in name)
        if 'masks' in found:
            assert found.masks.dtype == torch.bool and found.masks.shape[1:] == SIZE
        assert (found.scores.diff() <= 0).all()
    assert not torch.equal(sample.pred_instances[0].bboxes, sample.pred_instances[1].bboxes)


def test_clips_of_a_batch_do_not_mix(small_detector):
    model = forecaster(small_detector('mask-rcnn'))
    frames, samples = clips(batch=2)
    for clip, sample in zip(frames, model.predict(frames, samples)):
        (alone,) = model.predict(clip[None], [ForecastDataSample(metainfo=dict(img_shape=SIZE))])
        for found, expected in zip(sample.pred_instances, alone.pred_instances):
            assert torch.allclose(found.bboxes, expected.bboxes, atol=1e-2)
            assert torch.equal(found.labels, expected.labels)


@pytest.mark.parametrize('name', ['mask-rcnn', 'fcos'])
def test_copy_last_finds_what_mmdet_finds_in_the_last_observed_frame(small_detector, name):
    model = forecaster(small_detector(name), 'CopyLast')
    frames, samples = clips()
    (sample,) = model.predict(frames, samples)
    for found in sample.pred_instances:
        assert_same(found, mmdet_finds(model.encoder.detector, frames[0, 1]))


@pytest.mark.parametrize('size', [(144, 208), (100, 160), SIZE])
def test_frames_are_resized_for_the_detector_and_instances_back(small_detector, size):
    model = forecaster(small_detector('mask-rcnn'), steps=1, size=size)
    frames, samples = clips(length=3)
    (found,) = model.predict(frames, samples)[0].pred_instances
    assert_same(found, mmdet_finds(model.encoder.detector, frames[0, 2], size))
    assert found.masks.shape[1:] == SIZE
    assert (found.bboxes[:, 2] <= SIZE[1]).all() and (found.bboxes[:, 3] <= SIZE[0]).all()


@pytest.mark.parametrize('name', DETECTORS)
def test_the_completed_pyramid_is_the_detectors_own(small_detector, name):
    encoder = DetectorEncoder(small_detector(name))
    image = torch.randn(1, 3, 96, 128)
    own = encoder.detector.extract_feat(image)
    assert len(own) == 5 and len(encoder.level_names) == (4 if 'rcnn' in name else 5)
    for ours, theirs in zip(encoder.complete(own[: len(encoder.strides)], (96, 128)), own):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize('name', ['mask-rcnn', 'retinanet'])
def test_levels_that_are_left_out_are_zero_before_the_heads(small_detector, name):
    """At a size that P6 and P7 of a one-stage detector don't divide, too."""
    encoder = DetectorEncoder(small_detector(name), levels=('P3', 'P5'))
    own = encoder.detector.extract_feat(torch.randn(2, 3, 96, 160))
    strides = [encoder.strides[0] * 2**number for number in range(5)]
    given = [level for level, stride in zip(own, strides) if stride in (8, 32)]
    completed = encoder.complete(given, (96, 160))
    assert [level.shape for level in completed] == [level.shape for level in own]
    kept = (8, 32, 64) if name == 'mask-rcnn' else (8, 32)  # its P6 follows from P5
    for ours, theirs, stride in zip(completed, own, strides):
        assert torch.equal(ours, theirs if stride in kept else torch.zeros_like(theirs))


def test_chunks_bound_the_pass_and_change_nothing(small_detector):
    config = small_detector('mask-rcnn')
    encoder = DetectorEncoder(config, chunk=3)
    passes = []
    encoder.detector.backbone.register_forward_pre_hook(lambda _, args: passes.append(len(args[0])))
    frames, samples = clips(batch=2)
    chunked = encoder.encode(frames, samples)
    assert passes == [3, 3, 2]
    assert [tuple(level.shape[:3]) for level in chunked] == [(2, 4, 16)] * 4
    encoder.chunk = 1
    for level, single in zip(chunked, encoder.encode(frames, samples)):
        assert torch.allclose(level, single, atol=1e-4)


def test_the_reference_is_the_oracle(small_detector):
    config = small_detector('mask-rcnn')
    encoder = dict(type='DetectorEncoder', detector=config, chunk=1)
    model = F2FForecaster(
        encoder, dict(type='Oracle'), num_past=2, test_cfg=dict(rollout_steps=2, reference=True)
    ).eval()
    (sample,) = model.predict(*clips())
    for found, reference in zip(sample.pred_instances, sample.ref_instances):
        assert_same(found, reference)
    (sample,) = forecaster(config).predict(*clips())
    assert 'ref_instances' not in sample  # it costs as much as the forecast


def test_only_the_last_step_is_read_where_only_it_is_labelled(small_detector):
    config = small_detector('faster-rcnn')
    model = forecaster(config, decoder=dict(type='DetectionDecoder', steps='last'))
    frames, samples = clips()
    first, last = model.predict(frames, samples)[0].pred_instances
    assert len(first) == 0
    assert_same(last, mmdet_finds(model.encoder.detector, frames[0, 3]))
    with pytest.raises(ValueError, match="steps must be one of 'all', 'last', got 'first'"):
        DetectionDecoder(steps='first')


def test_filled_boxes_hold_the_pixels_whose_centers_they_hold():
    boxes = torch.tensor([[1.0, 0.0, 3.0, 2.0], [0.6, 1.4, 9.0, 9.0], [2.0, 2.0, 2.0, 2.0]])
    masks = box_regions(boxes, (3, 4))
    assert masks.int().tolist() == [
        [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]],
        [[0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 1, 1]],
        [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
    ]
    assert box_regions(torch.zeros(0, 4), (3, 4)).shape == (0, 3, 4)


def test_boxes_stand_for_masks_on_request(small_detector):
    model = forecaster(small_detector('retinanet'), decoder=dict(type='DetectionDecoder', fill_boxes=True))
    (sample,) = model.predict(*clips())
    for found in sample.pred_instances:
        assert isinstance(found, InstanceData) and len(found) > 0
        assert torch.equal(found.masks, box_regions(found.bboxes, SIZE))


@torch.no_grad()
def test_frames_of_a_stream_are_encoded_once(small_detector):
    """As docs/f2f.md shows it: what a clip of the same frames gives."""
    model = forecaster(small_detector('mask-rcnn'), 'CopyLast', num_past=4)
    frames, samples = clips(length=6)
    window = time_cat([model.encode(frames[:, t : t + 1], samples) for t in range(4)])
    for t in (4, 5):
        window = slide(window, model.encode(frames[:, t : t + 1], samples))
    context = ForecastContext(frames[:, -1:], samples, model.encoder)
    model.decode(model.rollout(window, 2, context), samples, context)
    (clip,) = model.predict(frames[:, 2:], clips()[1])
    for found, expected in zip(samples[0].pred_instances, clip.pred_instances, strict=True):
        assert_same(found, expected)
