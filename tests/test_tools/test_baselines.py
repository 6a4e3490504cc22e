"""Baselines by name on the data of any forecaster; the configs they once had."""

import json

import pytest
from mmengine.config import Config

from mmforecast.apis import apply_baseline, baselines_of
from mmforecast.utils.removed_configs import _BASELINE_GROUPS, require_config

S2S = 'configs/s2s/s2s_warp_tiny_synthetic.py'


@pytest.mark.parametrize(
    'options, sentence',
    [
        ([], "Give a checkpoint, 'none' for a model without weights, or --baseline NAME"),
        (
            ['--baseline', 'flou'],
            "unknown baselines ['flou']; choose from ['copy-last', 'flow', 'ego-motion', 'ego-regions', ",
        ),
        (['x.pth', '--baseline', 'flow'], 'flow has nothing to train, so it takes no checkpoint'),
    ],
)
def test_wrong_choices_get_a_sentence(run_tool, monkeypatch, repository, tmp_path, options, sentence, capsys):
    monkeypatch.chdir(repository)
    with pytest.raises(SystemExit) as end:
        run_tool('test.py', S2S, *options, '--work-dir', tmp_path)
    assert end.value.code == 2 and sentence in capsys.readouterr().err


def test_a_config_without_a_forecaster_has_no_baselines(run_tool, monkeypatch, repository, tmp_path, capsys):
    monkeypatch.chdir(repository)
    config = 'configs/f2f/f2f_as-neck_mask-rcnn_tiny_synthetic.py'
    with pytest.raises(SystemExit):
        run_tool('test.py', config, '--baseline', 'flow', '--work-dir', tmp_path)
    assert "'MaskRCNN', which has no baselines" in capsys.readouterr().err


@pytest.mark.parametrize(
    'config',
    [
        's2s/s2s_2scale_adv_tiny_synthetic',  # with a discriminator, whose weights are not the baseline's
        's2s/xs2xs_2scale_cityscapes',  # a variant with frames in its representation
        'f2f/mask-h2f_tiny_synthetic',  # an encoder that learns
    ],
)
def test_a_baseline_keeps_the_encoder_alone(repository, config):
    cfg = Config.fromfile(repository / f'configs/{config}.py')
    encoder = {key: value for key, value in cfg.model.encoder.to_dict().items() if key != 'frozen'}
    apply_baseline(cfg, 'copy-last')
    assert cfg.model.encoder.to_dict() == encoder
    assert cfg.model.predictor.to_dict() == dict(type='mmforecast.CopyLast')
    assert cfg.model.train_cfg is None
    assert not {'variant', 'discriminator', 'gan_loss', 'penalty'} & set(cfg.model)


def test_a_baseline_is_scored_whatever_the_default_scope(run_tool, data, repository, monkeypatch, tmp_path):
    monkeypatch.chdir(repository)
    out = tmp_path / 'scores.json'
    options = ['--baseline', 'oracle', '--work-dir', tmp_path, '--out', out]
    run_tool('test.py', 'configs/s2s/s2s_2scale_adv_tiny_synthetic.py', *options, '--cfg-options', *data)
    assert json.loads(out.read_text())['mIoU'] == 100


@pytest.mark.parametrize('tool', ['test.py', 'train.py', 'analysis_tools/compare.py'])
@pytest.mark.parametrize('folder', ['configs/baselines', '/elsewhere/configs/baselines'])
def test_a_removed_config_names_its_replacement(run_tool, monkeypatch, repository, folder, tool, capsys):
    monkeypatch.chdir(repository)
    arguments = ['none'] if tool == 'test.py' else []
    with pytest.raises(SystemExit) as end:
        run_tool(tool, f'{folder}/flow-warp_f2f_tiny_synthetic.py', *arguments)
    assert end.value.code == 2
    command = 'python tools/test.py configs/f2f/f2f_tiny_synthetic.py --baseline flow-warp'
    assert command in capsys.readouterr().err


def test_replacements_of_removed_configs_have_the_baselines(repository, tmp_path):
    removed = dict(
        f2f_tiny_synthetic=('copy-last', 'flow-shift', 'flow-warp', 'flow-features', 'oracle'),
        d2d_tiny_synthetic=('copy-last', 'flow', 'flow-shift', 'flow-warp', 'oracle'),
    )
    for group, config in _BASELINE_GROUPS.items():
        known = baselines_of(Config.fromfile(repository / 'configs' / config))
        for name in removed.get(group, ('copy-last', 'flow', 'oracle')):
            with pytest.raises(FileNotFoundError, match=f'{config} --baseline {name}$'):
                require_config(f'configs/baselines/{name}_{group}.py')
            assert name in known


def test_a_folder_of_ones_own_named_baselines_is_left_alone(tmp_path):
    (tmp_path / 'baselines').mkdir()
    path = tmp_path / 'baselines/flow_cityscapes.py'
    path.write_text('')
    require_config(path)
    require_config(tmp_path / 'baselines/mine.py')
