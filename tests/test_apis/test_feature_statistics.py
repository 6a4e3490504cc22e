"""Statistics of features, measured by the tool, stored, and read by an encoder."""

import runpy
import sys

import pytest
import torch
from mmengine.config import Config

from mmforecast.apis.evaluate import build_forecaster
from mmforecast.apis.feature_statistics import measure_features
from mmforecast.street import write_dataset
from mmforecast.utils.source_configs import first_source


@pytest.fixture(scope='module')
def config(tmp_path_factory, repository):
    """A forecaster over a small vision transformer with weights in a file, and clips of the street."""
    root = tmp_path_factory.mktemp('street')
    write_dataset(root / 'street', dict(train=1), height=32, width=64, progress=False)
    path = 'configs/masked_features/masked-features_vit_tiny_synthetic.py'
    cfg = Config.fromfile(repository / path)
    first_source(cfg.train_dataloader.dataset).update(data_root=str(root / 'street'), clip_step=8)
    cfg.model.encoder.update(size=(32, 64), num_components=7, checkpoint=None)
    weights = root / 'segmentor.pth'
    torch.manual_seed(0)
    torch.save(dict(state_dict=build_forecaster(cfg, device='cpu').encoder.segmentor.state_dict()), weights)
    cfg.model.encoder.checkpoint = str(weights)
    return cfg


def test_the_tool_writes_what_the_encoder_reads(config, tmp_path, repository, monkeypatch, capsys):
    path, out = tmp_path / 'config.py', tmp_path / 'out/statistics.pth'
    config.dump(path)
    arguments = ['feature_statistics.py', str(path), str(out), '--clips', '2']
    monkeypatch.setattr(sys, 'argv', arguments)
    runpy.run_path(str(repository / 'tools/analysis_tools/feature_statistics.py'), run_name='__main__')
    assert '0.components (7, 192)' in capsys.readouterr().out
    cfg = config.copy()
    cfg.model.encoder.statistics = str(out)
    encoder = build_forecaster(cfg, device='cpu').encoder
    assert not encoder.needs_statistics
    maps = encoder.encode(torch.rand(1, 2, 3, 32, 64) * 255, [])[0]
    assert maps.shape == (1, 2, 7, 4, 8)
    again = measure_features(cfg, 2, device='cpu')  # anew, though the config has a file
    assert all(torch.equal(again[name], value) for name, value in encoder.standardizers.state_dict().items())


def test_an_encoder_that_standardizes_nothing_is_refused(config):
    cfg = config.copy()
    cfg.model.encoder.update(standardize=False, num_components=None)
    with pytest.raises(ValueError, match='ViTFeatureEncoder standardizes no features'):
        measure_features(cfg, 2, device='cpu')
