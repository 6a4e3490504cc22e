"""A user's video is forecast as the model forecasts clips of a dataset, whatever way it comes in."""

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.dataset import pseudo_collate
from mmengine.infer import BaseInferencer
from mmengine.registry import DefaultScope

from mmforecast.apis import ForecastInferencer, build_forecaster, build_loader, load_config
from mmforecast.apis.inferencers import open_frames
from mmforecast.apis.shipped import SYSTEMS, shipped_file
from mmforecast.datasets.transforms.loading import LoadClipFrames
from mmforecast.visualization import write_video

from .conftest import SMALL_DETECTOR


def quiet(*args, **kwargs):
    return ForecastInferencer(*args, show_progress=False, **kwargs)


def assert_same(mine, other):
    """Two samples say the same."""
    for key in ('pred_sem_seg', 'ref_sem_seg'):
        assert (key in mine) == (key in other)
        if key in mine:
            assert torch.equal(mine.get(key).data, other.get(key).data)
    assert ('pred_instances' in mine) == ('pred_instances' in other)
    for a, b in zip(mine.get('pred_instances', []), other.get('pred_instances', []), strict=True):
        for key in ('labels', 'scores', 'bboxes', 'masks'):
            assert torch.equal(a.get(key), b.get(key))
    if 'pred_frames' in mine:
        assert torch.equal(mine.pred_frames, other.pred_frames)


@pytest.mark.parametrize('system', ['f2f', 's2s', 'd2d'])
def test_it_is_what_the_test_tool_forecasts(system, street_root):
    shipped = SYSTEMS[system]
    options = {'test_dataloader.dataset.data_root': str(street_root), **SMALL_DETECTOR}
    options['test_dataloader.num_workers'] = 0
    options['test_dataloader.persistent_workers'] = False
    if system != 'f2f':
        options['model.encoder.score_thr'] = 0.0
    cfg = load_config(shipped_file(shipped.config), options)
    dataset = build_loader(cfg).dataset
    inferencer = quiet(system, stride=1, options=options)  # of a video of the clip's frames alone
    weights = shipped.weights and shipped_file(shipped.weights)
    model = build_forecaster(cfg, weights, inferencer.choice.changes)
    (expected,) = model.test_step(pseudo_collate([dataset[1]]))

    info = dataset.get_data_info(1)
    frames = LoadClipFrames().transform(info)['frames']
    (found,) = inferencer(frames, at=3, return_datasamples=True)['predictions']
    assert_same(found, expected)
    assert found.num_future == 3 and found.img_shape == (64, 128)
    if system == 's2s':
        assert found.pred_sem_seg.data.unique().numel() > 1
    else:
        assert any(len(step) for step in found.pred_instances)


@pytest.mark.parametrize('kind', ['video', 's2s'])
def test_streaming_is_the_batch_path(kind, request, moving_square):
    inferencer = quiet(request.getfixturevalue(f'{kind}_config'))
    inferencer.model.with_reference = False
    inputs = dict(inputs=moving_square, every=3, return_datasamples=True)
    streamed = inferencer(**inputs)['predictions']
    batches = inferencer(**inputs, streaming=False, batch_size=2)['predictions']
    assert [sample.frame_indices[3] for sample in streamed] == [6, 9]
    for mine, other in zip(streamed, batches, strict=True):
        assert_same(mine, other)
        assert {**other.metainfo, **mine.metainfo} == other.metainfo


def test_streaming_encodes_each_frame_once(s2s_config, moving_square):
    inferencer = quiet(s2s_config)
    calls = []
    encode = inferencer.model.encoder.encode
    inferencer.model.encoder.encode = lambda *args: calls.append(args[0].shape[1]) or encode(*args)
    inferencer(moving_square, every=2)
    assert calls == [1] * 6  # every second frame of 12: stride and moments need no others


def test_all_kinds_of_input_give_the_same(video_config, moving_square, tmp_path):
    folder = tmp_path / 'frames'
    folder.mkdir()
    for number, frame in enumerate(moving_square):
        assert cv2.imwrite(str(folder / f'f{number}.png'), frame[..., ::-1])  # f10 after f9
    inferencer = quiet(video_config)
    kinds = [moving_square, list(moving_square), iter(moving_square), folder, str(folder)]
    for settings in (dict(), dict(every=2)):
        found = [inferencer(inputs, fps=10, **settings)['predictions'] for inputs in kinds[:2]]
        found += [inferencer(inputs, fps=10, **settings)['predictions'] for inputs in kinds[3:]]
        found.append(inferencer(iter(moving_square), fps=10, **settings)['predictions'])
        for other in found[1:]:
            for mine, theirs in zip(found[0], other, strict=True):
                assert mine['frames'] == theirs['frames'] and mine['seconds'] == [0.2, 0.4]
                assert np.array_equal(mine['rgb'], theirs['rgb'])


def test_a_video_file_is_its_decoded_frames(video_config, moving_square, tmp_path):
    pytest.importorskip('av')
    path = tmp_path / 'mine.mp4'
    write_video(path, list(moving_square), fps=10, hold_last=0)
    inferencer = quiet(video_config)
    paths = [f'{path}#{number}' for number in range(12)]
    frames = LoadClipFrames().transform(dict(img_paths=paths, sequence_id='x'))['frames']
    (file,) = inferencer(str(path))['predictions']
    (array,) = inferencer(frames)['predictions']
    assert np.array_equal(file['rgb'], array['rgb'])
    assert file['last_frame'] == 11 and file['frames'] == [13, 15]
    assert file['seconds'] == [0.2, 0.4] and array['seconds'] == [None, None]


def test_flow_moves_the_square_on_at_the_users_size(video_config, moving_square):
    """40x60 is padded to 40x64 for the network; 2 pixels per frame, 2 frames per step."""
    (forecast,) = quiet(video_config)(moving_square, at=7)['predictions']
    assert forecast['rgb'].shape == (2, 40, 60, 3)
    for step, frame in enumerate((9, 11)):
        middle = forecast['rgb'][step, 18:22, 8 + 2 * frame : 16 + 2 * frame].astype(int)
        assert abs(middle - moving_square[frame][18:22, 8 + 2 * frame : 16 + 2 * frame]).max() < 30


def test_forecasts_of_a_running_camera_come_at_once(video_config, moving_square):
    seen = []

    def camera():
        for number, frame in enumerate(moving_square):
            seen.append(number)
            yield frame

    scope = DefaultScope.get_current_instance().scope_name
    inferencer, moments = quiet(video_config), []
    for forecast in inferencer.stream(camera(), every=2):
        moments.append((forecast.last, seen[-1], forecast.num_known))
        assert DefaultScope.get_current_instance().scope_name == scope
    assert moments == [(6, 6, 0), (8, 8, 0), (10, 10, 0)]
    waited = list(inferencer.stream(iter(moving_square), every=2, wait=True))
    assert [(forecast.last, forecast.num_known) for forecast in waited] == [(6, 2), (8, 1), (10, 0)]
    assert np.array_equal(waited[0].frames, moving_square[[0, 2, 4, 6, 8, 10]])


@pytest.mark.parametrize('streaming', [True, False])
def test_a_direct_forecast_has_its_one_step(streaming, s2s_config, moving_square, tmp_path):
    s2s_config.model.predictor = dict(type='F2MFPredictor', radius=1, embedding=4, shared_widths=(4,), lead=2)
    path = tmp_path / 'weights.pth'
    torch.save(build_forecaster(s2s_config, device='cpu').state_dict(), path)
    inferencer = quiet(s2s_config, weights=str(path))
    out = inferencer(moving_square, every=1, fps=10, streaming=streaming, out_dir=str(tmp_path / 'out'))
    first, *_ = out['predictions']
    assert first['frames'] == [10] and first['seconds'] == [0.4] and first['last_frame'] == 6
    assert first['sem_seg'].shape == (1, 40, 60) and (first['sem_seg'] < 255).all()
    assert len(first['visibility']) == 1
    assert (tmp_path / 'out/frames_labels/000006_t+2.png').exists()
    (sample,) = inferencer(moving_square, at=7, return_datasamples=True)['predictions']
    assert sample.frame_indices == [1, 3, 5, 7, 11] and sample.num_future == 1
    assert len(sample.pred_scores) == len(sample.pred_sem_seg.data) == 1


def test_pixels_of_a_long_video_need_not_be_kept(s2s_config, moving_square):
    inferencer = quiet(s2s_config)
    kept = inferencer(moving_square, every=2)['predictions']
    for lean, full in zip(
        inferencer(moving_square, every=2, keep_pixels=False)['predictions'], kept, strict=True
    ):
        assert full.pop('sem_seg').shape == (2, 40, 60) and lean == full


@pytest.mark.parametrize('name', ['copy-last', 'flow', 'oracle'])
def test_baselines(name, video_config, moving_square):
    inferencer = quiet(video_config, predictor=name)
    (forecast,) = inferencer(moving_square, at=7)['predictions']
    truth = moving_square[[9, 11]]
    if name == 'oracle':
        assert np.array_equal(forecast['rgb'], truth)
        assert len(inferencer(moving_square, every=1)['predictions']) == 2  # at 6 and 7
        with pytest.raises(ValueError, match='the oracle looks at the true future, which comes'):
            inferencer(moving_square)
    elif name == 'copy-last':
        assert np.array_equal(forecast['rgb'], moving_square[[7, 7]])
    else:
        (own,) = quiet(video_config)(moving_square, at=7)['predictions']  # its predictor is the same
        assert np.array_equal(forecast['rgb'], own['rgb'])


@pytest.mark.parametrize('system, name', [('f2f', 'flow-warp'), ('d2d', 'flow-shift')])
def test_baselines_that_come_with_a_decoder(system, name, moving_square):
    inferencer = quiet(system, predictor=name, stride=2, horizon=1, options=SMALL_DETECTOR)
    (forecast,) = inferencer(moving_square)['predictions']
    assert forecast['frames'] == [13] and len(forecast['instances']) == 1


def test_the_scope_does_not_leak(s2s_config, moving_square):
    assert issubclass(ForecastInferencer, BaseInferencer)
    detector_loss = dict(type='L1Loss')  # of mmdet; mmforecast has none
    with DefaultScope.overwrite_default_scope('mmdet'):
        before = DefaultScope.get_current_instance().scope_name
        assert type(MMDET_MODELS.build(detector_loss)).__module__.startswith('mmdet')
        inferencer = quiet(s2s_config)
        inferencer(moving_square)
        inferencer(moving_square, every=2)
        with pytest.raises(ValueError):
            inferencer(moving_square[:3])
        assert DefaultScope.get_current_instance().scope_name == before == 'mmdet'
        assert type(MMDET_MODELS.build(detector_loss)).__module__.startswith('mmdet')


def test_the_steps_of_an_inferencer(s2s_config, moving_square):
    inferencer = quiet(s2s_config)
    ((data, settle),) = inferencer.preprocess(open_frames(moving_square), lasts=[11])
    preds = [finish(sample) for sample, finish in zip(inferencer.forward(data), settle)]
    pictures = inferencer.visualize([moving_square], preds)
    assert len(pictures[0]) == 4 + 2
    out = inferencer.postprocess(preds, pictures)
    (direct,) = inferencer(moving_square)['predictions']
    assert np.array_equal(out['predictions'][0]['sem_seg'], direct['sem_seg'])
