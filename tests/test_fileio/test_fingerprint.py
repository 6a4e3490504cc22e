"""Fingerprints of weights: what they tell apart, and what they don't."""

import copy
import hashlib

import pytest
import torch
from torch import nn

from mmforecast.fileio.fingerprint import weights_fingerprint


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))


def test_hand_value():
    module = nn.Module()
    module.register_buffer('b', torch.tensor([1, 258], dtype=torch.int16), persistent=False)
    expected = hashlib.sha256(b"('b', 'torch.int16', (2,))" + bytes([1, 0, 2, 1])).hexdigest()
    assert weights_fingerprint(module) == expected


def test_what_does_not_count():
    first, second = network(), network()
    second.requires_grad_(False).eval()
    assert weights_fingerprint(first) == weights_fingerprint(second)
    first[0].weight.data = first[0].weight.data.contiguous(memory_format=torch.channels_last)
    assert weights_fingerprint(first) == weights_fingerprint(second)
    restored = copy.deepcopy(second)
    restored.load_state_dict(first.state_dict())
    assert weights_fingerprint(restored) == weights_fingerprint(first)
    # Nor does the order in which a module names its children.
    ab, ba = nn.ModuleDict(dict(a=first, b=second)), nn.ModuleDict(dict(b=second, a=first))
    assert weights_fingerprint(ab) == weights_fingerprint(ba)


def change_weight(net):
    net[0].weight.data[0, 0] += 1e-6


def change_statistics(net):
    net[1].running_mean[2] = 1e-6


def change_type(net):
    net.double()


def change_shape(net):
    net[0].weight.data = net[0].weight.data.reshape(2, 3, 1, 1)


def change_name(net):
    net._modules['norm'] = net._modules.pop('1')


def add_normalization(net):
    net.register_buffer('mean', torch.zeros(3), persistent=False)


@pytest.mark.parametrize(
    'change',
    [change_weight, change_statistics, change_type, change_shape, change_name, add_normalization],
)
def test_what_counts(change):
    changed = network()
    change(changed)
    assert weights_fingerprint(changed) != weights_fingerprint(network())


def test_bfloat16_scalars_and_nothing_at_all():
    assert weights_fingerprint(network().bfloat16()) != weights_fingerprint(network().half())
    assert weights_fingerprint(nn.ReLU()) == hashlib.sha256().hexdigest()


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_device_does_not_count():
    assert weights_fingerprint(network().cuda()) == weights_fingerprint(network())
