"""The sample of one image: what its fields take and keep apart."""

import pytest
import torch

from mmforecast.creative import CreativeDataSample

FIELDS = dict(
    gt_labels=dict(shape=3, texture=-1),
    gt_mask=torch.ones(1, 2, 2, dtype=torch.bool),
    pred_img=torch.zeros(3, 2, 2),
    pred_labels=dict(shape=0),
    pred_scores=dict(shape=torch.ones(1)),
)


@pytest.mark.parametrize('name, value', FIELDS.items())
def test_field_is_set_read_and_deleted(name, value):
    sample = CreativeDataSample()
    assert name not in sample
    setattr(sample, name, value)
    assert getattr(sample, name) is value and sample.keys() == [name]
    delattr(sample, name)
    assert sample.keys() == []


@pytest.mark.parametrize('name', FIELDS)
def test_field_refuses_other_types(name):
    with pytest.raises(AssertionError):
        setattr(CreativeDataSample(), name, 'a string')


def test_a_copy_on_another_device_keeps_labels_and_metainfo():
    sample = CreativeDataSample(metainfo=dict(img_path='a.jpg', sample_idx=4))
    sample.gt_labels = dict(shape=3, texture=-1)
    sample.gt_mask = torch.ones(1, 2, 2, dtype=torch.bool)
    moved = sample.to('meta')
    assert moved.gt_labels == dict(shape=3, texture=-1) and moved.gt_mask.device.type == 'meta'
    assert moved.img_path == 'a.jpg' and moved.sample_idx == 4
