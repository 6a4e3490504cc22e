"""A whole detector of this repository: inference and a training step by each kind of operators."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmforecast.ops.finder import OPS_ENV, compiled_extension

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys, torch
import mmforecast
from mmengine.config import Config
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from mmengine.registry import init_default_scope
from mmforecast.ops import operators_in_use

torch.set_num_threads(1)
init_default_scope('mmdet')
config = Config.fromfile(sys.argv[1]).detector
config.test_cfg.rcnn.score_thr = 0.0
config.train_cfg.rcnn.sampler.num = 16
torch.manual_seed(0)
detector = MODELS.build(config)
image = torch.rand(1, 3, 128, 256) * 255
sample = DetDataSample(metainfo=dict(img_shape=(128, 256), ori_shape=(128, 256), scale_factor=(1, 1)))
boxes = torch.tensor([[20., 30, 80, 90], [100, 10, 220, 120]])
masks = torch.zeros(2, 128, 256, dtype=torch.uint8)
for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist()):
    mask[y1:y2, x1:x2] = 1
sample.gt_instances = InstanceData(
    bboxes=boxes, labels=torch.tensor([1, 2]), masks=BitmapMasks(masks.numpy(), 128, 256)
)
batch = detector.data_preprocessor(dict(inputs=[image[0]], data_samples=[sample]), True)
torch.manual_seed(1)
losses = detector.loss(batch['inputs'], batch['data_samples'])
total, log = detector.parse_losses(losses)
total.backward()
gradients = {name: value.grad for name, value in detector.named_parameters() if value.grad is not None}
detector.eval()
with torch.no_grad():
    batch = detector.data_preprocessor(dict(inputs=[image[0]], data_samples=[sample]), False)
    found = detector.predict(batch['inputs'], batch['data_samples'])[0].pred_instances
torch.save(
    dict(
        operators=operators_in_use(),
        log={name: float(value) for name, value in log.items()},
        gradients=gradients,
        found={name: found[name] for name in ('bboxes', 'scores', 'labels', 'masks')},
    ),
    sys.argv[2],
)
"""


def run_detector(operators, path):
    command = [
        sys.executable, '-W', 'ignore', '-c', PROGRAM, str(ROOT / 'configs/_base_/models/mask-rcnn_tiny.py'),
        str(path),
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, OPS_ENV: operators})
    assert result.returncode == 0, result.stderr
    return torch.load(path, weights_only=True)


def test_a_mask_rcnn_by_the_stand_in_is_that_by_the_compiled(tmp_path):
    ours = run_detector('pytorch', tmp_path / 'pytorch.pth')
    assert ours['operators'] == 'pytorch'
    assert len(ours['found']['scores']) == 100 and ours['found']['masks'].any()
    assert all(gradient.isfinite().all() for gradient in ours['gradients'].values())
    assert ours['gradients']['backbone.conv1.weight'].any()
    if compiled_extension() is None:
        pytest.skip('mmcv is installed without its compiled extension: there is nothing to compare with')
    theirs = run_detector('compiled', tmp_path / 'compiled.pth')
    assert theirs['operators'] == 'compiled'
    assert ours['log'] == pytest.approx(theirs['log'], rel=1e-4)
    assert ours['gradients'].keys() == theirs['gradients'].keys()
    for name, gradient in ours['gradients'].items():
        largest = float(theirs['gradients'][name].abs().max())
        torch.testing.assert_close(gradient, theirs['gradients'][name], rtol=1e-3, atol=1e-4 * largest + 1e-7)
    assert torch.equal(ours['found']['labels'], theirs['found']['labels'])
    torch.testing.assert_close(ours['found']['scores'], theirs['found']['scores'], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours['found']['bboxes'], theirs['found']['bboxes'], rtol=1e-4, atol=1e-2)
    differing = (ours['found']['masks'] != theirs['found']['masks']).float().mean()
    assert differing < 1e-3
