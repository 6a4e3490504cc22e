"""Stand-ins for CamVid's instances: hand values, the converter's files, and what reads them."""

import json

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from pycocotools import mask as rle

from mmforecast.datasets import CamVidSequenceDataset
from mmforecast.datasets.camvid_instances import camvid_instance_ids, components_to_instances
from mmforecast.datasets.labels import (
    CAMVID_LABEL_TO_CITYSCAPES_TRAIN_ID,
    CITYSCAPES_LABEL_TO_TRAIN_ID,
)
from mmforecast.registry import DATASETS, METRICS

CAR, PERSON, BICYCLIST, ROAD, VOID = 8, 9, 10, 3, 255

CONVERTER = 'dataset_converters/camvid_instances.py'


def names(ids):
    """Ids up to the numbering within a label: each instance by its smallest position."""
    ids = np.asarray(ids)
    first = {i: int(np.argmax(ids.ravel() == i)) for i in np.unique(ids)}
    return [[(i // 1000, first[i]) if i >= 1000 else i for i in row] for row in ids]


def test_components_by_hand():
    train_ids = np.array(
        [
            [CAR, CAR, ROAD, PERSON, ROAD, CAR],
            [CAR, ROAD, PERSON, ROAD, ROAD, ROAD],
            [ROAD, BICYCLIST, BICYCLIST, ROAD, CAR, CAR],
            [VOID, BICYCLIST, CAR, CAR, CAR, ROAD],
        ],
        np.uint8,
    )
    ids = components_to_instances(train_ids, min_area=2)
    assert ids.dtype == np.int32
    # Two cars (the lone pixel is a group); the person hangs together by a corner.
    assert names(ids) == names(
        [
            [26000, 26000, 0, 24000, 0, 26],
            [26000, 0, 24000, 0, 0, 0],
            [0, 33000, 33000, 0, 26001, 26001],
            [0, 33000, 26001, 26001, 26001, 0],
        ]
    )
    assert {i for i in np.unique(ids) if i >= 1000} == {24000, 26000, 26001, 33000}


def test_min_area_is_the_smallest_instance():
    train_ids = np.full((4, 4), CAR, np.uint8)
    assert (components_to_instances(train_ids, min_area=16) == 26000).all()
    assert (components_to_instances(train_ids, min_area=17) == 26).all()


def test_numbers_of_a_label_are_consecutive_past_groups():
    train_ids = np.full((1, 12), ROAD, np.uint8)
    train_ids[0, [0, 2, 3, 5, 7, 8]] = PERSON
    ids = components_to_instances(train_ids, min_area=2)
    assert sorted(set(ids.ravel().tolist())) == [0, 24, 24000, 24001]


def test_nothing_that_moves():
    assert not components_to_instances(np.full((3, 4), ROAD, np.uint8)).any()
    assert not components_to_instances(np.full((3, 4), VOID, np.uint8)).any()


def test_more_instances_than_ids_are_refused():
    dots = np.full((64, 128), ROAD, np.uint8)
    dots[::2, ::2] = PERSON
    with pytest.raises(ValueError, match='2048 components of label 24 .* raise min_area'):
        components_to_instances(dots, min_area=1)
    assert (components_to_instances(dots, min_area=2)[::2, ::2] == 24).all()


def test_background_keeps_its_class():
    """Void (0 in an id map) isn't scored, so it may only stand where the label map has none."""
    train_ids = np.array([[*range(11), VOID]], np.uint8)
    ids = camvid_instance_ids(train_ids, min_area=1)
    assert ids[0, [CAR, PERSON, BICYCLIST, -1]].tolist() == [26000, 24000, 33000, 0]
    for own in range(8):
        train_id = CITYSCAPES_LABEL_TO_TRAIN_ID[ids[0, own]]
        assert train_id == CAMVID_LABEL_TO_CITYSCAPES_TRAIN_ID[own]


# --- files ----------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path):
    """Ten frames on road: a car that drives to the right and a distant pedestrian. One has no labels."""
    root = tmp_path / 'camvid'
    for folder in ('images', 'labels'):
        (root / folder).mkdir(parents=True)
    for number in range(10):
        labels = np.full((12, 20), ROAD, np.uint8)
        labels[2:6, number : number + 8] = CAR
        labels[9, 18] = PERSON
        name = f'0016E5_{number:05d}.png'
        image = np.repeat(labels[..., None] * 20, 3, axis=-1)
        assert cv2.imwrite(str(root / 'images' / name), image)
        if number != 3:
            assert cv2.imwrite(str(root / 'labels' / name), labels)
    return root


@pytest.fixture
def instances(root, run_tool, tmp_path):
    out = tmp_path / 'instances'
    run_tool(CONVERTER, root, '--out', out, '--min-area', 4)
    return out


def test_converter_writes_ids_of_the_annotated_frames(instances):
    files = sorted(path.name for path in instances.glob('*.png'))
    assert files == [f'0016E5_{n:05d}_instanceIds.png' for n in range(10) if n != 3]
    ids = cv2.imread(str(instances / files[1]), cv2.IMREAD_UNCHANGED)
    expected = np.full((12, 20), 7)
    expected[2:6, 1:9] = 26000
    expected[9, 18] = 24
    assert ids.dtype == np.uint16
    np.testing.assert_array_equal(ids, expected)


def test_converter_writes_coco_of_each_split(instances, root):
    frames = {}
    for split in ('train', 'val'):
        content = json.loads((instances / f'annotations/instances_{split}.json').read_text())
        frames[split] = [image['file_name'] for image in content['images']]
        assert all((root / name).is_file() for name in frames[split])
        dataset = CamVidSequenceDataset(root, split=split, num_past=1, num_future=1, stride=1)
        own = {f'images/{name}.png' for name in dataset.sequences[0].frame_names}
        assert set(frames[split]) == own - {'images/0016E5_00003.png'}
        cars = [a for a in content['annotations'] if a['category_id'] == 3]
        people = [a for a in content['annotations'] if a['category_id'] == 1]
        assert len(cars) == len(people) == len(content['images'])
        assert [a['iscrowd'] for a in cars + people] == [0] * len(cars) + [1] * len(people)
        image = next(i for i in content['images'] if i['id'] == cars[-1]['image_id'])
        number = int(image['file_name'][-9:-4])
        assert cars[-1]['bbox'] == [number, 2, 8, 4] and cars[-1]['area'] == 32
        assert rle.toBbox(cars[-1]['segmentation']).tolist() == [number, 2, 8, 4]
        assert rle.area(cars[-1]['segmentation']) == 32
        assert (image['height'], image['width']) == (12, 20)
    assert (len(frames['train']), len(frames['val'])) == (5, 4)


def test_converter_says_that_these_are_not_true_instances(run_tool, capsys):
    with pytest.raises(SystemExit):
        run_tool(CONVERTER, '--help')
    assert 'NOT true instance labels' in capsys.readouterr().out


def test_converter_needs_label_maps(root, run_tool, tmp_path, capsys):
    for path in (root / 'labels').iterdir():
        path.unlink()
    with pytest.raises(SystemExit):
        run_tool(CONVERTER, root, '--out', tmp_path / 'out')
    assert 'holds no label map of a frame in the train split' in capsys.readouterr().err


def test_dataset_reads_them(instances, root):
    options = dict(split='all', num_past=2, num_future=2, stride=1)
    steps = [dict(type='LoadClipFrames'), dict(type='LoadClipInstances')]
    dataset = CamVidSequenceDataset(
        root,
        instance_root=str(instances),
        pipeline=[*steps, dict(type='PackForecastInputs')],
        **options,
    )
    sample = dataset[1]['data_samples']  # frames 1 to 4
    assert sample.labelled == [True, True, False, True]
    boxes = [found.bboxes.tolist() for found in sample.gt_instances]
    assert boxes == [[[1, 2, 9, 6]], [[2, 2, 10, 6]], [], [[4, 2, 12, 6]]]
    assert CamVidSequenceDataset(root, **options)[1]['instance_paths'] == [None] * 4


def test_dataset_says_how_to_make_them(root, tmp_path):
    with pytest.raises(FileNotFoundError, match='no instance maps .*tools/.*camvid_instances.py'):
        CamVidSequenceDataset(root, split='all', instance_root=str(tmp_path / 'nowhere'))


# --- configs --------------------------------------------------------------------------------------


def clips_of_config(repository, name, **options):
    """Evaluated clips of a base config, and its metric."""
    cfg = Config.fromfile(repository / 'configs/_base_/datasets' / f'{name}.py')
    assert cfg.test_dataloader == cfg.val_dataloader and cfg.test_evaluator == cfg.val_evaluator
    clips = DATASETS.build({**cfg.test_dataloader.dataset.to_dict(), **options})
    return clips, METRICS.build(cfg.test_evaluator.to_dict())


def perfect_scores(clips, metric):
    """Scores of a forecast that is the truth."""
    metric.dataset_meta = clips.metainfo
    for clip in clips:
        sample = clip['data_samples']
        sample.pred_instances = sample.gt_instances[sample.num_past :]
        for instances in sample.pred_instances:
            instances.scores = instances.labels.new_ones(len(instances)).float()
        metric.process(None, [sample])
    return metric.evaluate(len(clips))


def test_camvid_config(repository, camvid_root, run_tool, tmp_path):
    run_tool(CONVERTER, camvid_root, '--out', tmp_path)
    options = dict(data_root=str(camvid_root), instance_root=str(tmp_path), indices=3)
    clips, metric = clips_of_config(repository, 'camvid_instances', **options)
    scores = perfect_scores(clips, metric)
    assert scores['AP'] == scores['AP50'] == 100
    # Groups are part of the moving area, but not of any instance.
    assert 95 < scores['IoU-MO'] < 100


def test_street_configs(repository, street_root):
    street = clips_of_config(repository, 'synthetic_street_instances', data_root=str(street_root))
    scores = perfect_scores(*street)
    assert scores['AP'] == scores['t+1/AP'] == 100 and scores['IoU-MO'] == 100
    # In the layout of Cityscapes the annotated frame alone is labeled.
    clips, metric = clips_of_config(repository, 'cityscapes_instances', data_root=str(street_root))
    assert clips[0]['data_samples'].labelled == [False] * 6 + [True]
    metric.min_region_size = 10
    scores = perfect_scores(clips, metric)
    assert scores['AP'] == 100 and 't+1/AP' not in scores
