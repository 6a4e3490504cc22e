import hashlib
import importlib.util
import io

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader

import mmforecast.fileio.zoo as zoo_module
from mmforecast.fileio import DownloadError, find_model, zoo_weights
from mmforecast.fileio.download import cache_folder
from mmforecast.fileio.zoo import ZOO_ENV

METAFILE = """
Collections:
  - Name: Tiny
Models:
  - Name: tiny_1x_street
    Alias: [tiny]
    In Collection: Tiny
    Config: configs/tiny/tiny_1x.py
    Weights: {url}
  - Name: tiny_gone_street
    Config: configs/tiny/tiny_1x.py
    Weights: file://{folder}/gone-00000000.pth
  - Name: pair_street
    Config: configs/wrong%20folder/pair.py
    Weights: [a.pth, b.pth]
"""


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """A zoo in a folder, with the weights of one model."""
    buffer = io.BytesIO()
    torch.save(dict(state_dict=dict(w=torch.arange(3.0))), buffer)
    name = f'tiny-{hashlib.sha256(buffer.getvalue()).hexdigest()[:8]}.pth'
    root = tmp_path / 'zoo'
    (root / 'configs/tiny').mkdir(parents=True)
    (root / 'configs/_base_').mkdir()
    (root / name).write_bytes(buffer.getvalue())
    (root / 'model-index.yml').write_text('Import:\n  - configs/tiny/metafile.yml\n')
    url = f'file://{root / name}'
    (root / 'configs/tiny/metafile.yml').write_text(METAFILE.format(url=url, folder=root))
    for config in ('tiny/tiny_1x', 'tiny/tiny_2x', 'tiny/pair', '_base_/base'):
        (root / f'configs/{config}.py').write_text('model = dict(type="Tiny")\n')
    monkeypatch.setenv(ZOO_ENV, str(root))
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    return root


@pytest.mark.parametrize(
    'name',
    ['tiny_1x_street', 'tiny', 'tiny_1x', 'tiny_1x.py', 'tiny/tiny_1x.py', 'zoo://tiny', 'zoo::tiny/tiny_1x'],
)
def test_model_is_found_by_its_names(zoo, name):
    model = find_model(name)
    assert (model.name, model.zoo, model.config) == ('tiny_1x_street', 'zoo', zoo / 'configs/tiny/tiny_1x.py')


def test_other_zoos_are_not_parsed(zoo, monkeypatch):
    parsed = []
    monkeypatch.setattr(zoo_module, '_models', lambda own, root: parsed.append(own) or {})
    with pytest.raises(ValueError, match='tiny_3x'):
        find_model('zoo::tiny_3x')
    assert parsed == ['zoo']  # once, to tell names that come close
    parsed.clear()
    with pytest.raises(ValueError, match='tiny_1x_street'):
        find_model('tiny_1x_street')
    assert parsed[0] == 'zoo' and parsed.count('mmdet') == 1


def test_weights_are_read_wherever_a_checkpoint_is_taken(zoo):
    weights = CheckpointLoader.load_checkpoint('zoo://tiny', map_location='cpu')
    assert weights['state_dict']['w'].tolist() == [0, 1, 2]
    assert zoo_weights('tiny').parent == cache_folder()


def test_config_without_weights(zoo):
    assert find_model('tiny_2x').config == zoo / 'configs/tiny/tiny_2x.py'
    with pytest.raises(ValueError, match='has a config tiny_2x but publishes no weights'):
        zoo_weights('tiny_2x')


def test_parts_of_a_tracker_are_no_weights_and_a_wrong_folder_is_mended(zoo):
    model = find_model('pair_street')
    assert model.config == zoo / 'configs/tiny/pair.py'
    assert model.url is None


def test_weights_that_are_not_there(zoo):
    with pytest.raises(DownloadError, match='gone-00000000.pth cannot be downloaded'):
        zoo_weights('tiny_gone_street')


@pytest.mark.parametrize(
    'name, near',
    [('tiny_1x_streat', 'tiny_1x_street'), ('TINY_1X_street', 'tiny_1x_street'), ('zoo::ti', 'tiny')],
)
def test_near_names_are_told(zoo, name, near):
    with pytest.raises(ValueError, match=f'has a model or config .*did you mean .*{near}'):
        find_model(name)


@pytest.mark.parametrize('name', ['zebra', 'base', 'elsewhere::tiny'])
def test_unknown_names_are_told(zoo, name):
    with pytest.raises(ValueError, match=r'no model zoo here \(zoo|there is no zoo'):
        find_model(name)


def test_folder_that_is_no_zoo_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(ZOO_ENV, str(tmp_path))
    with pytest.raises(ValueError, match=f'{ZOO_ENV} names {tmp_path}, but there is no model-index.yml'):
        find_model('tiny')


@pytest.mark.parametrize(
    'name, zoo_name, digest',
    [
        ('rtmdet-ins_tiny_8xb32-300e_coco', 'mmdet', 'ec670f7e'),
        ('mmdet::rtmdet/rtmdet-ins_tiny_8xb32-300e_coco.py', 'mmdet', 'ec670f7e'),
        ('faster-rcnn_r50_fpn_gn-ws-all_1x_coco', 'mmdet', '613d9fe2'),
        ('mask-rcnn_r50_fpn_1x_cityscapes', 'mmdet', 'd2858245'),
        ('pspnet_r50-d8_4xb2-80k_cityscapes-512x1024', 'mmseg', '2376f12b'),
    ],
)
def test_models_of_the_installed_zoos(name, zoo_name, digest):
    model = find_model(name)
    assert model.zoo == zoo_name
    assert model.url.endswith(f'-{digest}.pth')
    assert 'model' in Config.fromfile(model.config, import_custom_modules=False)


def test_a_checkout_that_is_not_installed_has_its_own_zoo(tmp_path, monkeypatch):
    """Its package has no folder .mim."""
    package = tmp_path / 'mmforecast'
    package.mkdir()
    (package / '__init__.py').write_text('')
    (tmp_path / 'model-index.yml').write_text('Import:\n  - configs/tiny/metafile.yml\n')
    (tmp_path / 'configs/tiny').mkdir(parents=True)
    (tmp_path / 'configs/tiny/tiny_1x.py').write_text('model = dict(type="Tiny")\n')
    metafile = METAFILE.format(url='weights/tiny.pth', folder=tmp_path)
    (tmp_path / 'configs/tiny/metafile.yml').write_text(metafile)
    spec = importlib.util.spec_from_file_location('mmforecast', package / '__init__.py')
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: spec if name == 'mmforecast' else find(name))
    assert find_model('tiny').config == tmp_path / 'configs/tiny/tiny_1x.py'
    assert find_model('rtmdet-ins_tiny_8xb32-300e_coco').zoo == 'mmdet'


def test_weights_that_are_shipped_need_no_download():
    path = zoo_weights('motion-forecaster_varied_street')
    assert path.is_file() and cache_folder() not in path.parents
