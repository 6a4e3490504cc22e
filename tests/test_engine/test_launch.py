import pytest
from mmengine.config import Config

from mmforecast.engine import launch
from mmforecast.fileio import CheckpointError


def config(work_dir, **kwargs):
    return Config(dict(work_dir=str(work_dir), load_from='start.pth', resume=False, **kwargs))


def last_checkpoint(folder, path):
    (folder / 'last_checkpoint').write_text(str(path))


def test_resume_takes_the_last_checkpoint(tmp_path):
    (tmp_path / 'epoch_3.pth').touch()
    last_checkpoint(tmp_path, tmp_path / 'epoch_3.pth')
    cfg = config(tmp_path)
    launch.set_resume(cfg, 'auto')
    assert cfg.resume and cfg.load_from == str(tmp_path / 'epoch_3.pth')


def test_resume_before_the_first_checkpoint_starts_as_configured(tmp_path, capsys):
    cfg = config(tmp_path)
    launch.set_resume(cfg, 'auto')
    assert not cfg.resume and cfg.load_from == 'start.pth'
    assert f'no checkpoint in {tmp_path} yet' in capsys.readouterr().out


def test_resume_finds_a_work_dir_that_was_moved(tmp_path):
    (tmp_path / 'epoch_3.pth').touch()
    last_checkpoint(tmp_path, '/where/it/was/epoch_3.pth')
    assert launch.find_last_checkpoint(str(tmp_path)) == str(tmp_path / 'epoch_3.pth')


def test_resume_from_a_lost_checkpoint_says_so(tmp_path):
    last_checkpoint(tmp_path, '/where/it/was/epoch_3.pth')
    with pytest.raises(CheckpointError, match='names /where/it/was/epoch_3.pth, which is gone'):
        launch.set_resume(config(tmp_path), 'auto')


def test_resume_from_a_given_checkpoint(tmp_path):
    cfg = config(tmp_path)
    launch.set_resume(cfg, 'other.pth')
    assert cfg.resume and cfg.load_from == 'other.pth'


def test_without_resume_the_config_decides(tmp_path):
    cfg = config(tmp_path)
    launch.set_resume(cfg, None)
    assert not cfg.resume and cfg.load_from == 'start.pth'
    (tmp_path / 'epoch_3.pth').touch()
    last_checkpoint(tmp_path, tmp_path / 'epoch_3.pth')
    cfg = Config(dict(work_dir=str(tmp_path), load_from=None, resume=True))
    launch.set_resume(cfg, None)
    assert cfg.resume and cfg.load_from == str(tmp_path / 'epoch_3.pth')


def test_amp_reaches_every_optimizer(monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    one = Config(dict(optim_wrapper=dict(optimizer=dict(type='SGD'), accumulative_counts=2)))
    launch.enable_amp(one)
    assert one.optim_wrapper.type == 'AmpOptimWrapper' and one.optim_wrapper.loss_scale == 'dynamic'
    assert one.optim_wrapper.accumulative_counts == 2
    two = Config(
        dict(
            optim_wrapper=dict(
                constructor='Multi',
                generator=dict(optimizer=dict(type='Adam')),
                discriminator=dict(type='OptimWrapper', optimizer=dict(type='Adam'), loss_scale=512.0),
            )
        )
    )
    launch.enable_amp(two)
    assert two.optim_wrapper.generator.type == two.optim_wrapper.discriminator.type == 'AmpOptimWrapper'
    assert two.optim_wrapper.discriminator.loss_scale == 512 and two.optim_wrapper.constructor == 'Multi'
    other = Config(dict(optim_wrapper=dict(type='ApexOptimWrapper', optimizer=dict(type='SGD'))))
    with pytest.raises(ValueError, match="not 'ApexOptimWrapper'"):
        launch.enable_amp(other)


def test_amp_without_a_gpu_is_refused(monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    with pytest.raises(ValueError, match='--amp needs a GPU'):
        launch.enable_amp(Config(dict(optim_wrapper=dict(optimizer=dict(type='SGD')))))


def test_a_single_process_is_left_alone():
    cfg = Config(dict(launcher='none'))
    with launch.processes(cfg):
        assert 'model_wrapper_cfg' not in cfg


@pytest.mark.parametrize('strategy', ['FSDPStrategy', dict(type='mmengine.DeepSpeedStrategy')])
def test_sharding_without_a_gpu_is_refused(tmp_path, monkeypatch, strategy):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    cfg = config(tmp_path, runner_type='FlexibleRunner', strategy=strategy)
    with pytest.raises(ValueError, match='Strategy. needs GPUs: .* leave out strategy and runner_type'):
        launch.build_runner(cfg)


def test_default_hooks_of_ours_are_switched_off_by_none(toy_config, quick, tmp_path):
    cfg = toy_config('epochs')
    cfg.work_dir = str(tmp_path)
    cfg.default_hooks.divergence = dict(type='mmforecast.DivergenceHook')
    cfg.default_hooks.data_faults = cfg.default_hooks.timer = None
    hooks = {type(hook).__name__ for hook in launch.build_runner(cfg).hooks}
    assert 'DivergenceHook' in hooks and not {'DataFaultHook', 'IterTimerHook'} & hooks


@pytest.mark.parametrize(
    'kind', ['SegDataPreProcessor', 'mmdet.DetDataPreprocessor', 'ForecastDataPreprocessor']
)
def test_the_preprocessor_of_a_network_does_not_become_the_forecasters(kind):
    cfg = Config(
        dict(model=dict(type='S2SForecaster'), default_scope='mmforecast', data_preprocessor=dict(type=kind))
    )
    launch.drop_foreign_preprocessor(cfg)
    assert ('data_preprocessor' in cfg) == kind.startswith('Forecast')
