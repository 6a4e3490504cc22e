"""Results come back at the user's size, as plain containers, and as files that can be read."""

import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from pycocotools import mask as rle

from mmforecast.apis import ForecastInferencer
from mmforecast.apis.inferencers import decode_masks
from mmforecast.apis.inferencers.drawing import ForecastDrawer
from mmforecast.apis.inferencers.files import ForecastFiles
from mmforecast.apis.inferencers.geometry import FramePipeline, InverseGeometry
from mmforecast.apis.inferencers.results import Forecast, encode_instances, plain_forecast
from mmforecast.apis.inferencers.sources import ArrayFrames
from mmforecast.structures import ForecastDataSample
from mmforecast.structures.cityscapes import CITYSCAPES_METAINFO

from .conftest import SMALL_DETECTOR


def quiet(*args, **kwargs):
    return ForecastInferencer(*args, show_progress=False, **kwargs)


def test_rle_round_trip():
    masks = torch.rand(3, 17, 23) > 0.5
    masks[1] = False
    instances = InstanceData(
        labels=torch.tensor([2, 0, 1]),
        scores=torch.tensor([0.9, 0.5, 0.25]),
        bboxes=torch.tensor([[1.0, 2.0, 11.0, 5.0]] * 3),
        masks=masks,
        track_ids=torch.tensor([4, 5, 6]),
    )
    found = json.loads(json.dumps(encode_instances(instances, ('a', 'b', 'c'))))
    assert np.array_equal(decode_masks(found), masks.numpy())
    assert [one['class'] for one in found] == ['c', 'a', 'b']
    assert found[0]['bbox'] == [1, 2, 10, 3] and found[2]['score'] == 0.25
    assert [one['track_id'] for one in found] == [4, 5, 6]
    area = int(rle.area(found[0]['segmentation']))  # COCO's own tools read it
    assert area == int(masks[0].sum())
    assert encode_instances(InstanceData()) == []


def test_the_way_back_is_exact_for_what_is_padded():
    pipeline = FramePipeline([dict(type='LoadClipFrames'), dict(type='ClipCropToMultiple')])
    frames = np.random.default_rng(0).integers(0, 256, (2, 21, 30, 3), dtype=np.uint8)
    results, back = pipeline.transform(frames, {})
    assert results['frames'].shape == (2, 24, 32, 3)  # nothing of the user's frame is cut off
    assert np.array_equal(back.images(results['frames'], cv2.INTER_LINEAR), frames)


def test_what_sorts_clips_of_a_test_is_left_out():
    pipeline = FramePipeline([dict(type='LoadClipFrames'), dict(type='ClipCameraSpeed')])
    frames = np.zeros((2, 8, 8, 3), dtype=np.uint8)  # no future frames, which that transform asks for
    results, _ = pipeline.transform(frames, {})
    assert 'camera_speed' not in results


def sample_of(size):
    """Labels, one instance and a frame: the left half of everything is 1."""
    half = torch.zeros(1, *size, dtype=torch.uint8)
    half[:, :, : size[1] // 2] = 1
    found = InstanceData(
        labels=torch.tensor([0]),
        scores=torch.tensor([1.0]),
        bboxes=torch.tensor([[0.0, 0.0, size[1] / 2, size[0]]]),
        masks=half.bool(),
        centroids=torch.tensor([[size[1] / 4, size[0] / 2]]),
    )
    sample = ForecastDataSample(metainfo=dict(img_shape=size))
    sample.pred_sem_seg = PixelData(data=half)
    sample.pred_instances = [found]
    sample.pred_frames = half[:, None].repeat(1, 3, 1, 1).float() * 200
    return sample


def test_the_way_back_of_what_is_resized():
    back = InverseGeometry(sizes=[(40, 60)], cuts=[False])
    sample = back.restore(sample_of((16, 24)))
    assert sample.img_shape == (40, 60)
    assert torch.equal(sample.pred_sem_seg.data[0, :, :30], torch.ones(40, 30, dtype=torch.uint8))
    assert not sample.pred_sem_seg.data[0, :, 30:].any()
    (found,) = sample.pred_instances
    assert found.bboxes.tolist() == [[0, 0, 30, 40]] and found.centroids.tolist() == [[15, 20]]
    assert found.masks.shape == (1, 40, 60)
    assert found.masks[0, :, :30].all() and not found.masks[0, :, 30:].any()
    assert sample.pred_frames.shape == (1, 3, 40, 60)


def test_the_way_back_through_both_goes_in_reverse():
    """40x60 is resized to 10x14, then padded to 16x16."""
    back = InverseGeometry(sizes=[(40, 56), (10, 14)], cuts=[False, True])
    (found,) = back.restore(sample_of((16, 16))).pred_instances
    assert found.bboxes.tolist() == [[0, 0, 32, 40]]  # 8 of 14 columns; the rows below are cut off
    assert found.masks[0, :, :32].all() and not found.masks[0, :, 32:].any()


def test_files_of_one_forecast(s2s_config, moving_square, tmp_path):
    av = pytest.importorskip('av')
    inferencer = quiet(s2s_config)
    out = inferencer(moving_square, at=7, fps=20, out_dir=tmp_path)
    (forecast,) = out['predictions']
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*.*')}
    labels = {f'frames_labels/000007_t+{step}.png' for step in (1, 2)}
    assert written == {*labels, *(f'frames_forecast.{kind}' for kind in ('mp4', 'gif', 'json'))}
    for step in (1, 2):
        image = cv2.imread(str(tmp_path / f'frames_labels/000007_t+{step}.png'), -1)
        assert np.array_equal(image, forecast['sem_seg'][step - 1])
    with av.open(str(tmp_path / 'frames_forecast.mp4')) as video:
        assert video.streams.video[0].codec_context.name == 'h264'
        pictures = list(video.decode(video=0))
    assert len(pictures) == 4 + 2 + 3  # the last one stays for a second and a half
    report = json.loads((tmp_path / 'frames_forecast.json').read_text())
    assert report['stride'] == 2 and report['classes'][0] == 'road'
    assert report['forecasts'][0]['seconds'] == [0.1, 0.2]
    assert set(report['forecasts'][0]['labels_png']) == labels
    assert set(out['files']) == {
        *(str(tmp_path / f'frames_forecast.{kind}') for kind in ('mp4', 'gif', 'json')),
        str(tmp_path / 'frames_labels'),
    }


def test_files_of_a_running_video(moving_square, tmp_path):
    av = pytest.importorskip('av')
    inferencer = quiet('f2f', predictor='copy-last', stride=2, horizon=1, options=SMALL_DETECTOR)
    out = inferencer(iter(moving_square), every=2, fps=20, out_dir=tmp_path, score_thr=0)
    with av.open(str(tmp_path / 'frames_forecast.mp4')) as video:
        assert video.streams.video[0].average_rate == 10  # the video's own speed
        assert len(list(video.decode(video=0))) == len(out['predictions']) == 3
    report = json.loads((tmp_path / 'frames_forecast.json').read_text())
    for saved, forecast in zip(report['forecasts'], out['predictions'], strict=True):
        assert saved['instances'] == forecast['instances']
    assert saved['instances'][0][0]['class'] in report['instance_classes']
    assert report['baseline'] == 'copy-last' and report['weights'] is None


def test_frames_are_files_too(video_config, moving_square, tmp_path):
    out = quiet(video_config)(moving_square, out_dir=tmp_path, formats=['png'])
    image = cv2.imread(str(tmp_path / 'frames_frames/000011_t+2.png'))[..., ::-1]
    assert np.array_equal(image, out['predictions'][0]['rgb'][1])
    assert out['files'] == [str(tmp_path / 'frames_frames')]


def test_an_interrupted_run_leaves_no_half_file(video_config, moving_square, tmp_path):
    inferencer = quiet(video_config)

    def frames():
        for number, frame in enumerate(moving_square):
            if number == 11:
                raise KeyboardInterrupt
            yield frame

    (tmp_path / 'frames_forecast.mp4').write_bytes(b'of an earlier run')
    with pytest.raises(KeyboardInterrupt):
        inferencer(frames(), every=1, out_dir=tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*.*')}
    assert 'frames_frames/000006_t+1.png' in left  # those that were finished
    assert not any('partial' in name for name in left)
    assert {name for name in left if '/' not in name} == {'frames_forecast.mp4'}
    assert (tmp_path / 'frames_forecast.mp4').read_bytes() == b'of an earlier run'


def panoptic_forecast(size=(16, 24)):
    """Two steps of a car that drives over road below the sky, as a forecast without truth."""
    sample = sample_of(size)
    ids = torch.full((2, *size), 7, dtype=torch.int32)
    ids[:, :4] = 23
    ids[0, 8:12, 2:10], ids[1, 8:12, 6:14] = 26000, 26000
    sample.pred_panoptic = PixelData(data=ids)
    sample.pred_sem_seg = PixelData(data=torch.zeros(2, *size, dtype=torch.uint8))
    sample.pred_instances = sample.pred_instances * 2
    del sample.pred_frames
    sample.set_metainfo(dict(num_past=2, num_future=0, frame_indices=[0, 3, 6, 9], frame_times=None))
    return Forecast(sample, np.full((2, *size, 3), 90, dtype=np.uint8))


def test_panoptic_maps_as_plain_containers_and_files(tmp_path):
    forecast = panoptic_forecast()
    plain = plain_forecast(forecast)
    assert plain['panoptic'].dtype == np.int32 and plain['panoptic'].shape == (2, 16, 24)
    assert [[(s['category'], s['area']) for s in step] for step in plain['segments_info']] == [
        [('road', 256), ('sky', 96), ('car', 32)]
    ] * 2
    source = ArrayFrames(forecast.frames)
    drawer = ForecastDrawer('copy-last', CITYSCAPES_METAINFO, panel_height=64)
    with ForecastFiles(tmp_path, source, drawer, dict(video={}), formats=('gif', 'png', 'json')) as files:
        files.add(forecast)
    (entry,) = json.loads((tmp_path / f'{source.name}_forecast.json').read_text())['forecasts']
    assert 'panoptic' not in entry and entry['segments_info'] == plain['segments_info']
    for name, ids in zip(entry['panoptic_png'], plain['panoptic'], strict=True):
        blue, green, red = cv2.imread(str(tmp_path / name)).astype(int).transpose(2, 0, 1)
        assert np.array_equal(red + 256 * green + 65536 * blue, ids)


def test_panoptic_maps_come_back_at_the_size_of_the_user():
    sample = panoptic_forecast().sample
    back = InverseGeometry(sizes=[(32, 48)], cuts=[False]).restore(sample)
    assert back.pred_panoptic.data.shape == (2, 32, 48) and back.pred_panoptic.data.dtype == torch.int32
    assert back.pred_panoptic.data.unique().tolist() == [7, 23, 26000]
    assert (back.pred_panoptic.data[0, 16:24, 4:20] == 26000).all()


def test_panoptic_pictures():
    """A clip has a picture per frame and step, a running video one; the car keeps its color."""
    clip = panoptic_forecast()
    drawer = ForecastDrawer('copy-last', CITYSCAPES_METAINFO, panel_height=64)
    pictures = drawer.pictures(clip)
    assert len(pictures) == 4 and len({picture.shape for picture in pictures}) == 1
    assert drawer.beside(clip) is None
    running = ForecastDrawer('copy-last', CITYSCAPES_METAINFO, running=True, panel_height=64)
    first, second = (running.pictures(panoptic_forecast())[0] for _ in range(2))
    assert np.array_equal(first, second)
