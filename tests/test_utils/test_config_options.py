"""Options that nothing would read are refused with the nearest name; the rest merges as in mmengine."""

import argparse

import pytest
from mmengine.config import Config

from mmforecast.cli.common import read_config
from mmforecast.utils.config_options import merge_options


def config():
    return Config(
        dict(
            max_iters=100,
            model=dict(type='S2SForecaster', train_cfg=dict(rollout_steps=1), init=None),
            train_dataloader=dict(batch_size=2, dataset=dict(type='D', pipeline=[dict(type='A')])),
            optim_wrapper=dict(
                type='OptimWrapper',
                optimizer=dict(type='SGD', lr=0.1),
                paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
            ),
            train_cfg=dict(type='IterBasedTrainLoop', max_iters=100),
            default_hooks=dict(logger=dict(type='LoggerHook', interval=50)),
            auto_scale_lr=dict(enable=False),
        )
    )


@pytest.mark.parametrize(
    'key, hint',
    [
        ('modle.predictor.widths', "nothing reads 'modle'; did you mean model"),
        ('randomnes.seed', "nothing reads 'randomnes'; did you mean randomness?"),
        ('load_form', "nothing reads 'load_form'; did you mean load_from?"),
        ('seed', "nothing reads 'seed'"),
        ('randomness.sed', "'sed'"),
        ('train_dataloader.batchsize', "train_dataloader takes no 'batchsize'; did you mean batch_size"),
        ('val_dataloader.num_worker', "'num_worker'"),
        ('auto_scale_lr.base_batchsize', 'did you mean base_batch_size?'),
        ('default_hooks.loger.interval', "a new hook 'loger' needs a type; did you mean logger?"),
        ('default_hooks.checkpont.interval', 'did you mean checkpoint?'),
        ('train_dataloader.dataset.pipeline.1.size', 'pipeline is a list of 1, so .* a number from 0 to 0'),
        ('train_dataloader.dataset.pipeline.first', 'pipeline is a list of 1'),
        ('train_cfg.max_iters.value', 'do not fit the config: .*max_iters'),
    ],
)
def test_what_nothing_reads_is_refused(key, hint):
    cfg = config()
    cfg.merge_from_dict(dict(randomness=dict(seed=1), val_dataloader=dict(batch_size=1)))
    with pytest.raises(ValueError, match=hint):
        merge_options(cfg, {key: 1})


def test_a_dict_of_options_is_looked_into():
    with pytest.raises(ValueError, match='train_dataloader.batchsize is not in the config, and'):
        merge_options(config(), dict(train_dataloader=dict(batchsize=1)))


@pytest.mark.parametrize(
    'options',
    [
        {'load_from': 'a.pth'},
        {'randomness.seed': 3},
        {'model.init_cfg.type': 'Pretrained', 'model.init_cfg.checkpoint': 'a.pth'},
        {'model.encoder': dict(type='E')},
        {'train_dataloader.persistent_workers': False, 'train_dataloader.sampler.type': 'S'},
        {'train_dataloader.dataset.indices': 4, 'train_dataloader.dataset.pipeline.0.size': 2},
        {'val_dataloader.batch_size': 1},
        {'env_cfg.cudnn_benchmark': True},
        {'custom_hooks': [dict(type='EMAHook')]},
        {'default_hooks.val_loss.type': 'ValLossHook'},
        {'default_hooks.checkpoint.interval': 5},
        {'default_hooks.divergence': None},
        {'find_unused_parameters': True, 'resume': True, 'auto_scale_lr.base_batch_size': 4},
        {'param_scheduler': None, 'optim_wrapper.clip_grad.max_norm': 1.0},
        {'optim_wrapper.paramwise_cfg.custom_keys.head.lr_mult': 2.0},
        {'optim_wrapper.optimizer': dict(_delete_=True, type='Adam', lr=1.0)},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_something_reads_is_merged_as_by_mmengine(options, capsys):
    ours, theirs = config(), config()
    merge_options(ours, options)
    theirs.merge_from_dict(options)
    assert ours.to_dict() == theirs.to_dict()
    assert capsys.readouterr().err == ''


def test_a_slip_in_a_free_dict_is_warned_of(capsys):
    merge_options(config(), {'optim_wrapper.paramwise_cfg.custom_keys.backbon.lr_mult': 2.0})
    assert 'custom_keys.backbone exists' in capsys.readouterr().err


def test_a_variable_of_the_file_is_warned_of(capsys):
    merge_options(config(), {'max_iters': 5})
    assert 'max_iters is a variable' in (text := capsys.readouterr().err) and 'set train_cfg.max_iters' in text


def test_the_tools_refuse_it_too(tmp_path):
    (tmp_path / 'config.py').write_text('train_cfg = dict(max_iters=1)\n')
    arguments = argparse.Namespace(
        config=str(tmp_path / 'config.py'),
        cfg_options={'train_cgf.max_iters': 2},
        work_dir=None,
        launcher='none',
        local_rank=0,
        allow_unsafe_checkpoint=False,
    )
    with pytest.raises(ValueError, match='did you mean train_cfg'):
        read_config(arguments)
