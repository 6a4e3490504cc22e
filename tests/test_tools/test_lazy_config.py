"""Pure-Python configs of mmengine, which name classes instead of strings, under every tool."""

import json
import runpy

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmforecast.apis import ForecastInferencer
from mmforecast.cli.main import main
from mmforecast.registry import MODELS

LAZY = """
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.optim import OptimWrapper
from mmengine.runner import TestLoop, ValLoop
from mmseg.models.backbones import UNet
from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.models.decode_heads import FCNHead
from mmseg.models.segmentors import EncoderDecoder
from torch.optim import SGD

from mmdet.models.losses import L1Loss
from mmforecast.datasets import CityscapesSequenceDataset
from mmforecast.datasets.transforms import LoadClipFrames, LoadClipSemSeg, PackForecastInputs
from mmforecast.engine import ForecastCheckpointHook, IterBasedTrainLoop
from mmforecast.evaluation.metrics import FutureSemSegMetric
from mmforecast.models.decoders import SemSegDecoder
from mmforecast.models.encoders import SegmentorEncoder
from mmforecast.models.forecasters import S2SForecaster
from mmforecast.models.predictors import MultiScalePredictor
from mmforecast.visualization import ForecastLocalVisualizer

default_scope = 'mmforecast'
segmentor = dict(
    type=EncoderDecoder,
    data_preprocessor=dict(type=SegDataPreProcessor),
    backbone=dict(type=UNet, base_channels=4, num_stages=2, strides=(1, 1), enc_num_convs=(1, 1),
                  dec_num_convs=(1, ), downsamples=(True, ), enc_dilations=(1, 1), dec_dilations=(1, )),
    decode_head=dict(type=FCNHead, in_channels=4, in_index=1, channels=4, num_convs=0, concat_input=False,
                     num_classes=19),
    test_cfg=dict(mode='whole'))
model = dict(
    type=S2SForecaster,
    encoder=dict(type=SegmentorEncoder, segmentor=segmentor, checkpoint='WEIGHTS', stride=4),
    predictor=dict(type=MultiScalePredictor, in_channels=19, widths=((4, ), ), kernels=((3, 3), ),
                   losses=dict(l1=dict(type=L1Loss))),
    decoder=dict(type=SemSegDecoder),
    train_cfg=dict(rollout_steps=1),
    test_cfg=dict(rollout_steps=2))
pipeline = [dict(type=LoadClipFrames), dict(type=LoadClipSemSeg), dict(type=PackForecastInputs)]
data = dict(type=CityscapesSequenceDataset, data_root='ROOT', num_past=4, stride=3, pipeline=pipeline)
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type=InfiniteSampler, shuffle=True),
    dataset=dict(**data, split='train', num_future=1))
val_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(**data, split='val', num_future=2, test_mode=True))
test_dataloader = val_dataloader
val_evaluator = test_evaluator = dict(type=FutureSemSegMetric)
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=SGD, lr=0.01))
train_cfg = dict(type=IterBasedTrainLoop, max_iters=1, val_interval=1)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
default_hooks = dict(checkpoint=dict(type=ForecastCheckpointHook, by_epoch=False, interval=1))
visualizer = dict(type=ForecastLocalVisualizer, name='visualizer')
"""


@pytest.fixture(scope='module')
def config(street_root, tmp_path_factory):
    """A config without a single name in quotes, over a segmentor of random weights."""
    folder = tmp_path_factory.mktemp('lazy')
    path, weights = folder / 'lazy.py', folder / 'segmentor.pth'
    text = LAZY.replace('ROOT', str(street_root)).replace('WEIGHTS', str(weights))
    path.write_text(text)
    with DefaultScope.overwrite_default_scope('mmseg'):
        segmentor = MODELS.build(Config.fromfile(path).segmentor.to_dict())
    torch.save(dict(state_dict=segmentor.state_dict()), weights)
    return path


@pytest.fixture(scope='module')
def checkpoint(config, repository):
    """Trained by tools/train.py for one iteration, validation included."""
    arguments = ['train.py', str(config), '--work-dir', str(config.parent / 'run')]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('sys.argv', arguments)
        runpy.run_path(str(repository / 'tools/train.py'), run_name='__main__')
    return config.parent / 'run/iter_1.pth'


@pytest.mark.parametrize('baseline', [None, 'copy-last', 'oracle'])
def test_it_is_scored(config, checkpoint, run_tool, baseline, tmp_path):
    scored = [checkpoint] if baseline is None else ['--baseline', baseline]
    out = tmp_path / 'scores.json'
    run_tool('test.py', config, *scored, '--work-dir', tmp_path, '--out', out)
    scores = json.loads(out.read_text())
    assert 0 <= scores['mIoU'] <= 100 and 't+2/mIoU' in scores


@pytest.mark.slow
def test_compare_and_report_show_it_beside_the_baselines(config, checkpoint, capsys, tmp_path):
    rows = [config, '--horizons', 1, '--model', 'mine', config, checkpoint]
    main(['compare', *map(str, rows)])
    table = capsys.readouterr().out
    assert 'mine' in table and 'copy-last' in table and 'oracle' in table
    page = tmp_path / 'report.html'
    main(['report', *map(str, rows), '--clips', '1', '--out', str(page)])
    text = page.read_text()
    assert 'clips of CityscapesSequenceDataset (' in text and 'class &#x27;' not in text
    assert 'LazyObject' not in text


def test_its_representations_are_extracted(config, run_tool, tmp_path, capsys):
    arguments = [config, 'none', '--out', tmp_path, '--splits', 'val', '--dry-run']
    run_tool('extract_representations.py', *arguments)
    assert 'scores (19, 16, 32)' in capsys.readouterr().out


def test_it_forecasts_a_video(config, checkpoint, tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (12, 64, 128, 3), dtype=np.uint8)
    inferencer = ForecastInferencer(str(config), str(checkpoint), stride=3, show_progress=False)
    (found,) = inferencer(frames, at=9, return_datasamples=True)['predictions']
    assert found.pred_sem_seg.data.shape == (2, 64, 128)


@pytest.mark.parametrize('wrapper', ['ConcatDataset', 'RepeatDataset'])
def test_data_within_a_wrapper_forecast_a_video(config, checkpoint, wrapper):
    frames = np.random.default_rng(0).integers(0, 256, (12, 64, 128, 3), dtype=np.uint8)
    cfg = Config.fromfile(config)
    cfg = Config(cfg.to_dict())
    dataset = cfg.test_dataloader.dataset
    parts = dict(datasets=[dataset]) if wrapper == 'ConcatDataset' else dict(dataset=dataset, times=1)
    plain = ForecastInferencer(cfg, str(checkpoint), show_progress=False)
    (expected,) = plain(frames, at=9, return_datasamples=True)['predictions']
    cfg.test_dataloader.dataset = dict(type=wrapper, **parts)
    wrapped = ForecastInferencer(cfg, str(checkpoint), show_progress=False)
    (found,) = wrapped(frames, at=9, return_datasamples=True)['predictions']
    assert torch.equal(found.pred_sem_seg.data, expected.pred_sem_seg.data)
    assert found.frame_indices == expected.frame_indices
