"""The style of a score by its key."""

import pytest

from mmforecast.evaluation.score_style import explain_score, known_style


@pytest.mark.parametrize('name', ['IoU/traffic light', 'SEG/IoU/car', 'Acc/car', 'AP50/car', 'SEG/t+2/mIoU'])
def test_scores_of_classes_are_percents(name):
    style = known_style(name)
    assert (style.unit, style.best) == ('%', 'max')


def test_class_scores_have_their_own_meaning():
    assert explain_score('IoU/car') != explain_score('mIoU') != explain_score('IoU-MO')
    assert explain_score('Acc/car') != explain_score('mAcc')


@pytest.mark.parametrize('name', ['loss_iou', 'val/loss_iou', 'loss', 'detector/loss_acc'])
def test_a_loss_is_no_score(name):
    assert known_style(name) is None
