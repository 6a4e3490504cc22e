"""Which way is better of a score, as save_best takes it."""

import pytest
import torch
from mmengine.hooks import Hook

from mmforecast.apis.compare import METRICS
from mmforecast.engine import ForecastCheckpointHook
from mmforecast.evaluation.score_style import explain_score, known_style, score_style

LESS = ['LPIPS', 't+3/LPIPS', 'prefix/LPIPS', 'IDSW', 'FID (64)', 'KID x1000', 'val_loss', 'loss']
GREATER = [
    *METRICS,
    *('aAcc', 'mAcc', 'NO-AP', 'NO-AP-const', 'IDP', 'IDR', 'texture_accuracy', 'AP/person'),
    *('SEG/mIoU', 'SEG/t+2/IoU-MO', 'REF/t+1/IoU-MO', 't+3/PSNR', 't+1/NO-AP50', 'own/t+2/SSIM-MO'),
    *('coco/bbox_mAP_50',),  # which mmengine knows
]


@pytest.mark.parametrize('key', [key for key in GREATER if key != 'LPIPS' and 'energy' not in key])
def test_more_is_better(key):
    assert ForecastCheckpointHook(save_best=key).rules == ['greater']


@pytest.mark.parametrize('key', LESS)
def test_less_is_better(key):
    assert ForecastCheckpointHook(save_best=key).rules == ['less']


def test_several_scores_have_a_rule_each():
    hook = ForecastCheckpointHook(save_best=['AP50', 't+2/LPIPS', 'val_loss'])
    assert hook.rules == ['greater', 'less', 'less']


def test_what_the_user_says_comes_first():
    assert ForecastCheckpointHook(save_best='AP50', rule='less').rules == ['less']
    assert ForecastCheckpointHook(save_best='PSNR', less_keys=['psnr']).rules == ['less']
    assert ForecastCheckpointHook(save_best='auto').rules == [None]  # until there are scores
    with pytest.raises(KeyError, match='rule must be greater, less or None'):
        ForecastCheckpointHook(save_best='PSNR', rule='more')


def test_an_unknown_score_needs_a_rule():
    with pytest.raises(ValueError, match='save_best: Cannot infer the rule for key charm,.* Add rule='):
        ForecastCheckpointHook(save_best=['AP', 'val_loss', 'charm'])


def test_a_score_that_is_best_at_1_chooses_no_checkpoint():
    with pytest.raises(ValueError, match='save_best: energy-MO is best at 1'):
        ForecastCheckpointHook(save_best='energy-MO')


class Distances(Hook):
    """The validation's outcome, best in the second epoch."""

    priority = 'HIGH'

    def after_val_epoch(self, runner, metrics=None):
        metrics.clear()
        metrics['t+2/LPIPS'] = {1: 0.4, 2: 0.1, 3: 0.3, 4: 0.2}[runner.epoch]


@pytest.mark.parametrize('key', ['auto', 't+2/LPIPS'])
def test_the_least_distance_is_kept(toy_runner, tmp_path, key):
    options = {'default_hooks.checkpoint.save_best': key}
    toy_runner('epochs', options=options, hooks=[Distances()]).train()
    assert [path.name for path in (tmp_path / 'run').glob('best*')] == ['best_t+2_LPIPS_epoch_2.pth']


def test_every_score_of_a_table_is_explained():
    for key in GREATER[:-1] + LESS[:-2]:
        text = explain_score(key)
        assert text and '\n' not in text and text[-1] != '.', key
    assert explain_score('PSNR-iclr16') != explain_score('PSNR-iclr16-flow') != explain_score('PSNR')
    assert explain_score('SEG/mIoU').startswith(explain_score('mIoU'))
    assert explain_score('charm') == '' and known_style('charm') is None
    assert score_style('charm').best == 'max'


class Outcomes(Hook):
    """A validation whose scores stay the same: one large, one small."""

    priority = 'HIGH'

    def after_val_epoch(self, runner, metrics=None):
        metrics.clear()
        metrics.update({'PSNR': 30.0, 'mIoU': 0.5, 'val_loss': 50.0})


@pytest.mark.parametrize(
    'key, rule, noted',
    [
        ('mIoU', None, True),
        ('mIoU', None, False),  # as in a checkpoint that doesn't note the score
        ('val_loss', None, True),
        ('val_loss', None, False),
        ('PSNR', 'less', True),
    ],
)
def test_another_score_at_resume_has_its_own_best(toy_runner, tmp_path, key, rule, noted):
    hook = 'default_hooks.checkpoint'
    toy_runner('epochs', options={f'{hook}.save_best': 'PSNR'}, hooks=[Outcomes()]).train()
    (old,) = (tmp_path / 'run').glob('best_PSNR_*')
    if not noted:
        path = tmp_path / 'run/epoch_4.pth'
        checkpoint = torch.load(path, weights_only=True)
        del checkpoint['message_hub']['runtime_info']['best_metric']
        torch.save(checkpoint, path)
    options = {'resume': True, 'train_cfg.max_epochs': 6, f'{hook}.save_best': key, f'{hook}.rule': rule}
    runner = toy_runner('epochs', options=options, hooks=[Outcomes()])
    runner.logger.warning = (lines := []).append
    runner.train()
    assert (tmp_path / f'run/best_{key}_epoch_5.pth').exists() and old.exists()
    assert any(f'the best checkpoint is chosen anew, and {old} is kept' in line for line in lines)


def test_same_score_at_resume_keeps_its_best(toy_runner, tmp_path):
    save = {'default_hooks.checkpoint.save_best': 'PSNR'}
    toy_runner('epochs', options=save, hooks=[Outcomes()]).train()
    toy_runner(
        'epochs', options={**save, 'resume': True, 'train_cfg.max_epochs': 6}, hooks=[Outcomes()]
    ).train()
    assert [path.name for path in (tmp_path / 'run').glob('best*')] == ['best_PSNR_epoch_1.pth']


def test_a_score_that_there_is_not_is_named(toy_runner):
    runner = toy_runner('epochs', options={'default_hooks.checkpoint.save_best': 'mIou'}, hooks=[Outcomes()])
    with pytest.raises(ValueError, match="'mIou' is none of the scores .* did you mean 'mIoU'?"):
        runner.train()
