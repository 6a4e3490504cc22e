"""Detectors of other data sets: their classes become Cityscapes' by name, or keep their own names."""

import logging

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData

from mmforecast.apis.inferencers.results import encode_instances
from mmforecast.evaluation.metrics import CityscapesInstanceMetric
from mmforecast.evaluation.results_file import forecast_record
from mmforecast.models.encoders import DetectorEncoder, DetectorMapEncoder
from mmforecast.models.utils.detector import training_sample
from mmforecast.models.utils.detector_classes import (
    cityscapes_labels,
    class_names,
    inverse_labels,
    num_classes_of,
)
from mmforecast.structures import ForecastDataSample, instances_to_sem_seg

# COCO's labels of person, bicycle, car, motorcycle, bus, train and truck, and those of Cityscapes
COCO_TO_CITYSCAPES = {0: 0, 1: 7, 2: 2, 3: 6, 5: 4, 6: 5, 7: 3}


def with_classes(node, count):
    """A config whose heads have ``count`` classes."""
    if isinstance(node, dict):
        return {k: count if k == 'num_classes' else with_classes(v, count) for k, v in node.items()}
    return [with_classes(item, count) for item in node] if isinstance(node, (list, tuple)) else node


def found(labels, size=(8, 8)):
    masks = torch.zeros(len(labels), *size, dtype=torch.bool)
    masks[:, 2:6, 2:6] = True
    boxes = torch.tensor([[2.0, 2, 6, 6]]).repeat(len(labels), 1)
    scores = torch.linspace(0.9, 0.6, len(labels))
    return InstanceData(labels=torch.tensor(labels), scores=scores, bboxes=boxes, masks=masks)


@pytest.fixture(scope='module')
def coco_encoder(small_detector):
    return DetectorEncoder(with_classes(small_detector('mask-rcnn'), 80))


def test_coco_s_classes_are_mapped_by_name(coco_encoder):
    names = class_names(coco_encoder.detector)
    assert len(names) == num_classes_of(coco_encoder.detector) == 80 and names[56] == 'chair'
    labels = cityscapes_labels(names)
    assert labels.tolist() == [COCO_TO_CITYSCAPES.get(label, -1) for label in range(80)]
    assert inverse_labels(labels).tolist() == [0, -1, 2, 7, 5, 6, 3, 1]  # COCO has no rider


def test_a_missing_class_is_warned_of(small_detector, caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.WARNING):
            DetectorEncoder(with_classes(small_detector('retinanet'), 80))
    finally:
        logger.removeHandler(caplog.handler)
    assert 'of its 80 classes, person, car, truck, bus, train, motorcycle, bicycle are taken' in caplog.text
    assert 'the others are dropped; it has no rider' in caplog.text


def test_other_classes_are_dropped(coco_encoder):
    kept = coco_encoder.relabel(found([5, 7, 56, 2]))  # bus, truck, chair, car
    assert kept.labels.tolist() == [4, 3, 2]
    assert torch.equal(kept.scores, found([5, 7, 56, 2]).scores[[0, 1, 3]])
    assert len(coco_encoder.relabel(found([56]))) == 0


@pytest.mark.parametrize('name', ['mask-rcnn', 'cascade-mask-rcnn', 'faster-rcnn', 'retinanet', 'fcos'])
def test_eight_classes_stay_as_they_are(small_detector, name):
    encoder = DetectorEncoder(small_detector(name))
    instances = found([0, 3, 7])
    assert encoder.relabel(instances) is instances
    assert encoder.own_labels().tolist() == list(range(8))


def test_names_of_the_checkpoint_come_first(small_detector):
    detector = DetectorEncoder(small_detector('retinanet')).detector
    detector.dataset_meta = dict(CLASSES=('Bus', 'dog', 'pedestrian', 'a', 'b', 'c', 'd', 'car'))
    encoder = DetectorEncoder(detector)
    assert encoder.relabel(found([0, 1, 2, 7])).labels.tolist() == [4, 0, 2]


def test_unknown_classes_are_refused(small_detector):
    with pytest.raises(ValueError, match=r"3 classes whose names are not known, .* set classes='own'"):
        DetectorEncoder(with_classes(small_detector('retinanet'), 3))
    detector = DetectorEncoder(with_classes(small_detector('retinanet'), 3), classes='own').detector
    detector.dataset_meta = dict(classes=('cat', 'dog', 'cow'))
    with pytest.raises(ValueError, match=r'3 classes \(cat, dog, cow, ...\), so they'):
        DetectorEncoder(detector)
    with pytest.raises(ValueError, match="classes must be one of 'cityscapes', 'own', got 'coco'"):
        DetectorEncoder(detector, classes='coco')


def test_own_classes_keep_their_names_and_are_not_scored(small_detector):
    encoder = DetectorEncoder(with_classes(small_detector('mask-rcnn'), 80), classes='own')
    instances = encoder.relabel(found([56, 5]))
    cityscapes = ('person',) * 8
    assert [entry['class'] for entry in encode_instances(instances[:2], cityscapes)] == ['chair', 'bus']
    meta = dict(num_past=1, img_shape=(8, 8), labelled=[True] * 2, sequence_id='a', frame_names=['0', '1'])
    sample = ForecastDataSample(metainfo=meta)
    sample.pred_instances = [instances]
    with pytest.raises(ValueError, match="the 80 classes of the detector, .* set classes='cityscapes'"):
        CityscapesInstanceMetric().process({}, [sample])
    with pytest.raises(ValueError, match="only Cityscapes' can be written"):
        forecast_record(sample.to_dict(), sample.to_dict())


def test_labels_beyond_the_moving_classes_are_not_painted():
    with pytest.raises(ValueError, match='labels from 2 to 56, but the moving classes are 0 to 7'):
        instances_to_sem_seg(found([2, 56]), (8, 8))


def test_a_coco_detector_is_trained_on_its_own_labels(coco_encoder):
    id_map = torch.zeros(64, 64, dtype=torch.int32)
    for column, value in enumerate((24001, 25001, 28001)):  # person, rider, bus
        id_map[10:40, 20 * column : 20 * column + 15] = value
    size = (64, 64)
    sample = training_sample(coco_encoder.detector, size, size, size, id_map, coco_encoder.own_labels())
    assert sample.gt_instances.labels.tolist() == [0, 5]
    assert sample.gt_instances.bboxes[:, 0].tolist() == [0, 40]
    assert len(sample.gt_instances.masks) == 2


def test_label_maps_of_a_coco_detector_have_cityscapes_classes(coco_encoder):
    encoder = DetectorMapEncoder(coco_encoder.detector)
    instances = encoder.detector_encoder.relabel(found([5]))
    assert encoder._labels(instances, (8, 8)).unique().tolist() == [0, 5]  # background and bus
