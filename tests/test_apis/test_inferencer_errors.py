"""What can't be forecast ends in one sentence."""

import shutil

import numpy as np
import pytest
from mmengine.config import Config

from mmforecast.apis import ForecastInferencer
from mmforecast.apis.inferencers import FORMATS, open_frames

RANDOM = dict(type='MultiScalePredictor', channels=19, num_past=4, widths=[[4]], kernels=[[3, 3]])


def quiet(*args, **kwargs):
    return ForecastInferencer(*args, show_progress=False, **kwargs)


@pytest.mark.parametrize(
    'inputs, sentence',
    [
        ('nowhere.mp4', 'there is no video or folder nowhere.mp4'),
        (np.zeros((0, 4, 4, 3), np.uint8), 'the input has no frame'),
        ([], 'the input has no frame'),
        (7.5, 'inputs must be the path of a video or of a folder of frames.* got float'),
        (np.zeros((5, 4, 4, 3)), r'frame 0 must be a \(H, W, 3\) uint8 RGB array, got float64'),
        ([np.zeros((4, 4), np.uint8)], r'frame 0 must be .* got uint8 of shape \(4, 4\)'),
        (
            [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 6, 3), np.uint8)],
            'frame 1 is 4x6, but those before it are 4x4',
        ),
    ],
)
def test_inputs(inputs, sentence):
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        open_frames(inputs)


def test_files(tmp_path, real_videos):
    text = tmp_path / 'notes.txt'
    text.write_text('no video')
    with pytest.raises(ValueError, match=r'notes.txt is neither a video \(.*.avi, .* nor a folder'):
        open_frames(text)
    with pytest.raises(ValueError, match='has no frame$'):
        open_frames(tmp_path)
    shutil.copy(real_videos / 'part_0.mp4', tmp_path / 'a.mp4')
    with pytest.raises(ValueError, match='has no frame; it holds videos: give one of them, .*a.mp4'):
        open_frames(tmp_path)
    (tmp_path / 'cut.mp4').write_bytes((tmp_path / 'a.mp4').read_bytes()[:2000])
    with pytest.raises(ValueError, match='cut.mp4 cannot be opened'):
        open_frames(tmp_path / 'cut.mp4')
    with pytest.raises(ValueError, match='fps must be a finite number above 0'):
        open_frames(tmp_path / 'a.mp4', fps=0)


def test_too_short(video_config, moving_square):
    inferencer = quiet(video_config)
    sentence = 'has {}, but a forecast is made from 4 frames, 2 apart, and needs 7: give a longer video{}$'
    smaller = ' or a stride of at most 1'
    for inputs in (moving_square[:6], iter(moving_square[:6])):
        with pytest.raises(ValueError, match=sentence.format('6 frames', smaller)):
            inferencer(inputs)
    with pytest.raises(ValueError, match=sentence.format('4 frames', smaller)):
        inferencer(iter(moving_square[:4]), every=1)
    for number, text in ((3, '3 frames'), (1, '1 frame')):  # no stride would do
        with pytest.raises(ValueError, match=sentence.format(text, '')):
            inferencer(moving_square[:number])
    with pytest.raises(ValueError, match='the input has no frame'):
        inferencer(iter(()))


@pytest.mark.parametrize(
    'settings, sentence',
    [
        (dict(at=5), 'at must be a frame from 6 to 11 of the input, got 5'),
        (dict(at=12), 'at must be a frame from 6 to 11'),
        (dict(every=0, out_dir='x'), 'every must be an integer >= 1, got 0'),
        (dict(every=1, at=7), 'give every or at, not both'),
        (dict(streaming=True), 'streaming goes with every'),
        (dict(batch_size=0), 'batch_size must be an integer >= 1'),
        (dict(out_dir='x', score_thr=2), r'score_thr must lie in \[0, 1\], got 2'),
        (dict(out_dir='x', panel_height=8), 'panel_height must be 32 or more pixels, got 8'),
        (dict(out_dir='x', formats='avi'), r"formats must be one or more of \('mp4'"),
    ],
)
def test_calls(settings, sentence, video_config, moving_square):
    with pytest.raises(ValueError, match=sentence):
        quiet(video_config)(moving_square, **settings)


def test_a_file_where_a_folder_should_be(video_config, moving_square, tmp_path):
    (tmp_path / 'out').write_text('')
    with pytest.raises(OSError, match=r'the folder .*out cannot be created \(File exists\)'):
        quiet(video_config)(moving_square, out_dir=tmp_path / 'out')


def test_an_iterator_cannot_go_back(video_config, moving_square):
    for settings in (dict(at=7), dict(every=2, streaming=False)):
        with pytest.raises(ValueError, match='an iterator of frames cannot go back'):
            quiet(video_config)(iter(moving_square), **settings)


@pytest.mark.parametrize(
    'settings, sentence',
    [
        (dict(horizon=0), 'horizon must be an integer >= 1, got 0'),
        (dict(device='abacus'), "device='abacus' cannot be used"),
        (dict(stride=1.5), 'stride must be an integer >= 1, got 1.5'),
        (
            dict(predictor='magic'),
            "has no baseline 'magic'; choose from copy-last, flow, ego-motion, ego-regions",
        ),
        (dict(predictor='flow', weights='x.pth'), 'nothing to train, so it takes no weights'),
        (dict(options={'model.predictor': RANDOM}), 'weights to train .* none were given: name a'),
    ],
)
def test_models(settings, sentence, s2s_config):
    with pytest.raises(ValueError, match=sentence):
        quiet(s2s_config, **settings)


def test_a_horizon_that_the_predictor_cannot_reach(s2s_config):
    s2s_config.model.predictor = dict(RANDOM, num_outputs=3)
    with pytest.raises(ValueError, match='this horizon is not possible: .* gives 3 steps per call'):
        quiet(s2s_config, horizon=4)


def test_configs_that_see_no_frames(repository):
    for name in ('s2s/s2s_warp_tiny_synthetic', 'd2d/d2d_tiny_synthetic'):
        path = str(repository / f'configs/{name}.py')
        with pytest.raises(ValueError, match='takes what it forecasts from a data set .* such as'):
            quiet(path, 'none', predictor='copy-last')


def test_configs_that_are_no_forecasters(repository):
    with pytest.raises(ValueError, match='which has no baselines; give a config whose model is a'):
        quiet(Config(dict(model=dict(type='mmdet.ByteTrack'), test_dataloader=dict(batch_size=1))))
    path = str(repository / 'configs/detectors/mask-rcnn_tiny_synthetic.py')
    with pytest.raises(
        ValueError, match=r'is that of a detector \(MaskRCNN\): give the path of its weights, too'
    ):
        quiet(path)
    with pytest.raises(ValueError, match='has no model or no test_dataloader'):
        quiet(Config(dict(model=dict(type='X'))))


def test_a_pipeline_that_cannot_be_undone(video_config, moving_square):
    video_config.test_dataloader.dataset.pipeline.insert(1, dict(type='ToyHalf'))
    with pytest.raises(ValueError, match='ToyHalf of the .* cannot be undone'):
        quiet(video_config)(moving_square)


def test_formats():
    assert FORMATS == ('mp4', 'gif', 'png', 'json')
