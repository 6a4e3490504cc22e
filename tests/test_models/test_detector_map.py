"""Label maps painted from detections, as the representation of the semantic baseline."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData

from mmforecast.apis.extract import extract_representations
from mmforecast.datasets import CityscapesSequenceDataset, RepresentationStore
from mmforecast.models.decoders import SemSegDecoder
from mmforecast.models.encoders import DetectorMapEncoder, detect
from mmforecast.models.forecasters import S2SForecaster
from mmforecast.structures import ForecastDataSample, instances_to_sem_seg

SIZE = (64, 96)
TRAIN_IDS = (255, 11, 12, 13, 14, 15, 16, 17, 18)


@pytest.fixture
def encoder(small_detector):
    return DetectorMapEncoder(small_detector('mask-rcnn'), score_thr=0.0, high=2.0, chunk=1)


@pytest.fixture
def frames():
    return torch.randint(0, 256, (1, 3, 3, *SIZE)).float()


def painted_by_hand(encoder, frames, score_thr=0.0):
    """Train ids of every frame, from detect() itself."""
    maps = []
    for frame in frames[0]:
        levels = [level[0] for level in encoder.detector_encoder.encode(frame[None, None], [])]
        (found,) = detect(encoder.detector_encoder, levels, SIZE)
        maps.append(instances_to_sem_seg(found, SIZE, score_thr))
    return torch.stack(maps)


def test_scores_say_what_is_painted(encoder, frames):
    (scores,) = encoder.encode(frames, [])
    assert scores.shape == (1, 3, 9, *SIZE) and set(scores.unique().tolist()) == {-2, 2}
    assert scores.eq(2).sum(dim=2).eq(1).all()  # one class per pixel
    sample = ForecastDataSample(metainfo=dict(img_shape=SIZE))
    SemSegDecoder(label_values=TRAIN_IDS).decode([scores], [sample])
    expected = painted_by_hand(encoder, frames)
    assert len(expected.unique()) > 1
    assert torch.equal(sample.pred_sem_seg.data, expected)


def test_classes_are_numbered_from_one_and_unsure_ones_left_out(encoder):
    masks = torch.zeros(3, *SIZE, dtype=torch.bool)
    masks[0, :8], masks[1, 4:12], masks[2, 40:] = True, True, True
    found = InstanceData(labels=torch.tensor([0, 7, 2]), scores=torch.tensor([0.6, 0.9, 0.4]), masks=masks)
    encoder.score_thr = 0.5
    labels = encoder._labels(found, SIZE)
    assert labels[:, 0].tolist() == [1] * 4 + [8] * 8 + [0] * 52
    assert encoder._labels(found[found.scores > 1], SIZE).eq(0).all()


def test_stride_averages_the_scores(small_detector, frames):
    config = small_detector('mask-rcnn')
    coarse = DetectorMapEncoder(config, score_thr=0.0, stride=8, chunk=1)
    full = DetectorMapEncoder(coarse.network, score_thr=0.0, chunk=1)
    (scores,), (fine,) = coarse.encode(frames, []), full.encode(frames, [])
    assert scores.shape == (1, 3, 9, 8, 12)
    assert torch.allclose(scores[0], F.avg_pool2d(fine[0], 8))
    with pytest.raises(ValueError, match='multiples of stride=8'):
        coarse.encode(frames[..., :90], [])


def test_the_detector_stays_as_it_is(encoder, frames):
    encoder.train()
    assert not any(module.training for module in encoder.network.modules())
    assert not any(p.requires_grad for p in encoder.parameters())
    assert torch.equal(encoder.encode(frames, [])[0], encoder.encode(frames, [])[0])


def test_masks_and_frames_are_needed(small_detector, frames):
    boxes = DetectorMapEncoder(small_detector('fcos'), score_thr=0.0)
    with pytest.raises(ValueError, match='FCOS gives none'):
        boxes.encode(frames, [])
    with pytest.raises(ValueError, match='LoadClipFrames'):
        boxes.encode(frames[..., :0, :0], [])
    with pytest.raises(ValueError, match='high must be positive'):
        DetectorMapEncoder(boxes.network, high=0)


def test_it_is_extracted_as_other_representations(encoder, street_root, tmp_path):
    prefix = dict(img_path='leftImg8bit_sequence', seg_map_path='gtFine_sequence')
    dataset = CityscapesSequenceDataset(
        data_root=str(street_root), data_prefix=prefix, split='val', num_past=1, num_future=1
    )
    encoder.stride = 8
    report = extract_representations(encoder, dataset, str(tmp_path), 'maps', chunk=2)
    assert report['written'] == 2 and not report['corrupt']
    store = RepresentationStore(str(tmp_path))
    assert store.manifest.levels[0].shape == (9, 8, 16)
    ((sequence, _, names), *_) = [(s, p, [s.frame_names[i] for i in p]) for s, p in dataset.frames_in_use()]
    stored = np.asarray(store.read('scores', sequence.id, names))
    assert stored.shape == (2, 9, 8, 16) and np.abs(stored).max() == 2


def test_a_forecaster_of_maps_gives_train_ids(small_detector, frames):
    model = S2SForecaster(
        dict(type='DetectorMapEncoder', detector=small_detector('mask-rcnn'), score_thr=0.0),
        dict(type='CopyLast'),
        dict(type='SemSegDecoder', label_values=TRAIN_IDS),
        num_past=2,
        test_cfg=dict(rollout_steps=1),
    ).eval()
    (sample,) = model.predict(frames, [ForecastDataSample(metainfo=dict(img_shape=SIZE))])
    expected = painted_by_hand(model.encoder, frames)
    assert torch.equal(sample.pred_sem_seg.data[0], expected[1])
    assert torch.equal(sample.ref_sem_seg.data[0], expected[2])


def test_label_values_are_checked():
    with pytest.raises(ValueError, match='0 to 255'):
        SemSegDecoder(label_values=(256, 1))
    sample = ForecastDataSample(metainfo=dict(img_shape=(2, 2)))
    with pytest.raises(ValueError, match='names 2 classes, but the forecast has 3'):
        SemSegDecoder(label_values=(0, 1)).decode([torch.zeros(1, 1, 3, 2, 2)], [sample])
