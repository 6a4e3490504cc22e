"""Detectors of mmdet under F2F and segmentors of mmseg under S2S, from the libraries' own configs."""

import math
import runpy
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TOOL = runpy.run_path(str(REPOSITORY / 'tools/misc/compatibility'))
NETWORKS = runpy.run_path(str(REPOSITORY / 'tools/misc/compatibility/networks.py'))
FAST = ('rtmdet-ins', 'pspnet', 'stdc')
# Refused, each with the start of its reason.
REFUSED = {
    'mask-rcnn-c4': 'MaskRCNN has no feature pyramid that F2F could forecast',
    'detr': 'DETR has no feature pyramid that F2F could forecast',
    'mask2former': 'Mask2Former has no feature pyramid that F2F could forecast',
    'ssd': 'SingleStageDetector has no feature pyramid that F2F could forecast',
}
# Trained on features alone, with the start of the reason.
NO_DETECTOR_LOSS = {
    'boxinst': 'train_cfg.detector_loss: BoxInst can not compute its losses on forecast features'
}


def test_there_are_enough_networks():
    assert len(NETWORKS['DETECTORS']) >= 30 and len(NETWORKS['SEGMENTORS']) >= 18
    assert len(REFUSED) <= 6


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize(
    'name', [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in TOOL['NETWORKS']]
)
def test_the_oracle_gives_the_network_s_own_output(name):
    row = TOOL['try_network'](name)
    if name in REFUSED:
        assert row['refused'].startswith(REFUSED[name])
        return
    assert 'refused' not in row
    assert math.isfinite(row['loss']) and row['loss'] > 0
    assert any('AP' in key or 'mIoU' in key for key in row['scores'])
    assert row['agreement'] == 1.0
    assert row['found'] >= (1 if row['detector'] else 2)
    if name in NO_DETECTOR_LOSS:
        assert row['detector_loss'].startswith(NO_DETECTOR_LOSS[name])
    elif row['detector']:
        assert math.isfinite(row['detector_loss']) and row['detector_loss'] > 0


def test_the_page_lists_every_network():
    page = (REPOSITORY / 'docs/compatibility.md').read_text(encoding='utf-8')
    rows = [line.split('`')[1] for line in page.splitlines() if line.startswith('| `')]
    assert sorted(rows) == sorted(map(NETWORKS['source_config'], TOOL['NETWORKS']))
    assert f'{len(rows)} networks, {len(REFUSED)} of them refused.' in page
