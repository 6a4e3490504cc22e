"""The sample's fields: what each takes, where it is kept, and what is computed."""

import copy

import pytest
import torch
from mmengine.structures import InstanceData, PixelData

from mmforecast.structures import ForecastDataSample

FIELDS = dict(
    gt_sem_seg=PixelData,
    gt_instance_map=PixelData,
    gt_motion_mask=PixelData,
    gt_frames=torch.Tensor,
    scores=torch.Tensor,
    features=list,
    pred_sem_seg=PixelData,
    pred_scores=torch.Tensor,
    pred_frames=torch.Tensor,
    pred_instances=list,
    ref_sem_seg=PixelData,
    ref_instances=list,
)


def value_of(dtype):
    return {
        PixelData: PixelData(data=torch.zeros(2, 3, 4)),
        torch.Tensor: torch.zeros(2),
        list: [InstanceData()],
    }[dtype]


@pytest.mark.parametrize('name, dtype', FIELDS.items())
def test_field_is_set_read_and_deleted(name, dtype):
    sample, value = ForecastDataSample(), value_of(dtype)
    assert name not in sample and sample.get(name) is None
    with pytest.raises(AttributeError, match=name):
        getattr(sample, name)
    setattr(sample, name, value)
    assert getattr(sample, name) is value
    assert sample.keys() == [name] and list(sample.to_dict()) == [name]
    delattr(sample, name)
    assert name not in sample and sample.keys() == []


@pytest.mark.parametrize('name, dtype', FIELDS.items())
def test_field_refuses_other_types(name, dtype):
    with pytest.raises(AssertionError, match=dtype.__name__):
        setattr(ForecastDataSample(), name, 'a string')


def test_fields_of_two_samples_are_apart():
    first, second = ForecastDataSample(), ForecastDataSample()
    first.scores, first.pred_scores = torch.zeros(1), torch.ones(1)
    second.scores = torch.full((1,), 2.0)
    assert (first.scores, first.pred_scores, second.scores) == (0, 1, 2)
    assert 'pred_scores' not in second


def sample_with_instances():
    ids = torch.full((3, 2, 4), -1, dtype=torch.int32)
    ids[1] = 7  # labeled road, and nothing that moves
    ids[2] = torch.tensor([[26000, 26, 24007, 24007], [26000, 26000, 7, 24007]])
    return ForecastDataSample(gt_instance_map=PixelData(data=ids))


def test_instances_are_computed_from_the_map():
    sample = sample_with_instances()
    unlabelled, empty, full = sample.gt_instances
    assert len(unlabelled) == len(empty) == 0
    assert unlabelled.masks.shape == empty.masks.shape == (0, 2, 4)
    assert full.ids.tolist() == [24007, 26000] and full.labels.tolist() == [0, 2]
    assert full.bboxes.tolist() == [[2, 0, 4, 2], [0, 0, 2, 2]]
    sample.gt_instance_map.data[2] = 7
    assert [len(instances) for instances in sample.gt_instances] == [0, 0, 0]


def test_instances_are_no_field():
    sample = sample_with_instances()
    assert 'gt_instances' not in sample and sample.keys() == ['gt_instance_map']
    with pytest.raises(AttributeError):
        sample.gt_instances = []
    with pytest.raises(AttributeError, match='gt_instance_map'):
        _ = ForecastDataSample().gt_instances


@pytest.mark.parametrize('copied', [copy.deepcopy, lambda s: s.cpu(), lambda s: s.clone()])
def test_copies_have_the_same_instances(copied):
    sample = sample_with_instances()
    twin = copied(sample)
    assert [i.get('ids').tolist() for i in twin.gt_instances] == [[], [], [24007, 26000]]
    assert twin.gt_instance_map.data.dtype == torch.int32
