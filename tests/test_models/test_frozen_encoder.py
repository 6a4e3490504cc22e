"""Frozen networks: whose weights they have, what is remembered of them, and what they draw at random."""

import os

import mmdet
import pytest
import torch
from mmengine.config import Config, ConfigDict
from torch import nn

from mmforecast.fileio import CheckpointError
from mmforecast.models.encoders import CachedEncoder, DetectorEncoder, SegmentorEncoder
from mmforecast.models.encoders.frozen import FrozenEncoder
from mmforecast.models.utils.detector_pyramid import probe_pyramid
from mmforecast.models.utils.frozen import loss_mode
from mmforecast.registry import MODELS

CONFIGS = os.path.join(os.path.dirname(mmdet.__file__), '.mim', 'configs')


@MODELS.register_module()
class NoisyEncoder(FrozenEncoder):
    """Frames plus as much noise as its one weight says."""

    network_name, scope, level_names, channels = 'net', 'mmforecast', ('scores',), 3

    def encode_frames(self, frames):
        return [frames + self.net.weight[0] * torch.rand(frames.shape)]


@pytest.fixture
def detector(small_detector):
    return small_detector('mask-rcnn')


@pytest.fixture
def checkpoint(detector, tmp_path):
    """The path of a checkpoint of the small detector, and its state."""
    state = DetectorEncoder(detector).detector.state_dict()
    path = str(tmp_path / 'detector.pth')
    torch.save(dict(state_dict=state), path)
    return path, state


def test_a_network_without_any_weights_is_refused(detector):
    encoder = DetectorEncoder(detector)
    with pytest.raises(CheckpointError, match='would keep random weights: the checkpoint has none of it'):
        encoder.load_state_dict({}, strict=False)


def test_a_part_of_a_network_is_refused(detector):
    encoder = DetectorEncoder(detector)
    half = {name: value for name, value in encoder.state_dict().items() if 'backbone' in name}
    with pytest.raises(CheckpointError, match=r'lacks \d+ weights of it, such as neck'):
        encoder.load_state_dict(half, strict=False)


def test_a_network_of_a_file_needs_none_in_the_checkpoint(detector, checkpoint):
    path, state = checkpoint
    encoder = DetectorEncoder(detector, path)
    encoder.load_state_dict({}, strict=False)
    assert all(torch.equal(encoder.detector.state_dict()[name], value) for name, value in state.items())


def test_another_network_than_that_of_the_file_is_refused(detector, checkpoint):
    path, state = checkpoint
    encoder = DetectorEncoder(detector, path)
    same = {f'detector.{name}': value for name, value in state.items()}
    encoder.load_state_dict(same)
    encoder.load_state_dict({name: value.half() for name, value in same.items()})  # of a published file
    with pytest.raises(CheckpointError, match=r'another one than .*detector\.pth .* weights differ'):
        encoder.load_state_dict({name: value + 1 for name, value in same.items()})


def test_a_file_that_lacks_weights_of_the_network_is_refused(detector, checkpoint):
    path, state = checkpoint
    torch.save(dict(state_dict={k: v for k, v in state.items() if 'mask_head' not in k}), path)
    with pytest.raises(
        CheckpointError, match=r'not a checkpoint of this MaskRCNN: it lacks roi_head\.mask_head'
    ):
        DetectorEncoder(detector, path)


@pytest.mark.parametrize('load', ['whole', 'encoder', 'network'])
def test_nothing_is_remembered_of_other_weights(load):
    cached = CachedEncoder(dict(type='NoisyEncoder', network=nn.Linear(1, 1, bias=False)))
    frames = torch.rand(1, 2, 3, 4, 4)
    cached.encode(frames, [])
    part = dict(whole=cached, encoder=cached.encoder, network=cached.network)[load]
    part.load_state_dict({name: torch.zeros_like(value) for name, value in part.state_dict().items()})
    assert torch.equal(cached.encode(frames, [])[0], frames)


def test_random_numbers_are_the_same_for_every_frame():
    """In any chunk, cached or not; and what is drawn afterwards does not depend on it."""
    frames = torch.rand(1, 1, 3, 8, 8).expand(1, 5, 3, 8, 8).contiguous()
    (levels,) = fixed_noise().encode(frames, [])
    assert not torch.equal(levels, frames)
    assert all(torch.equal(levels[0, 0], levels[0, time]) for time in range(5))
    encoder = fixed_noise(chunk=2)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    again = encoder.encode(frames, [])[0]
    assert torch.equal(torch.rand(2), expected) and torch.equal(again, levels)


def fixed_noise(**kwargs):
    encoder = NoisyEncoder(nn.Linear(1, 1, bias=False), **kwargs)
    nn.init.ones_(encoder.net.weight)
    return encoder


@pytest.mark.parametrize('name, derived', [('mask-rcnn', 1), ('retinanet', 0), ('fcos', 0)])
@pytest.mark.parametrize('value', [0.0, float('nan'), None])
def test_the_number_of_levels_does_not_depend_on_the_weights(small_detector, name, derived, value):
    detector = DetectorEncoder(small_detector(name)).detector
    if value is not None:
        for parameter in detector.neck.parameters():
            parameter.fill_(value)
    before = [parameter.clone() for parameter in detector.parameters()]
    strides, channels, found = probe_pyramid(detector)
    assert (len(strides), channels, found) == (5, 16, derived)
    for old, new in zip(before, detector.parameters()):
        assert torch.equal(old.nan_to_num(), new.nan_to_num())


def test_a_used_detector_is_probed_and_left_as_it_was(small_detector):
    """SOLO keeps tensors of a graph, which have no deep copy, after it computed a loss."""
    detector = DetectorEncoder(small_detector('mask-rcnn'), frozen=False).detector
    detector.kept = detector.backbone(torch.randn(1, 3, 64, 64))[0]
    assert not detector.kept.is_leaf
    detector.train()
    detector.backbone.eval()
    before = {name: value.clone() for name, value in detector.state_dict().items()}
    modes = [module.training for module in detector.modules()]
    assert probe_pyramid(detector) == ([4, 8, 16, 32, 64], 16, 1)
    assert all(torch.equal(before[name], value) for name, value in detector.state_dict().items())
    assert [module.training for module in detector.modules()] == modes
    assert not any(module._forward_hooks for module in detector.modules())


@pytest.mark.parametrize('trained', [False, True])
def test_levels_of_a_recursive_pyramid(trained):
    """DetectoRS standardizes its weights, and mixes levels by weights that start at zero."""
    model = Config.fromfile(os.path.join(CONFIGS, 'detectors/cascade-rcnn_r50-rfp_1x_coco.py')).model
    for backbone in (model.backbone, model.neck.rfp_backbone):
        backbone.update(base_channels=8, stem_channels=8, init_cfg=None, pretrained=None)
    model.neck.update(in_channels=[32, 64, 128, 256], out_channels=16, aspp_out_channels=4)
    model.neck.rfp_backbone.rfp_inplanes = 16
    detector = MODELS.build(ConfigDict(model, _scope_='mmdet'))
    detector.init_weights()
    if trained:
        for parameter in detector.neck.parameters():
            parameter.data.add_(0.1 * torch.randn_like(parameter))
    assert probe_pyramid(detector) == ([4, 8, 16, 32, 64], 16, 1)


def test_the_loss_mode_is_training_without_dropout_and_running_statistics():
    layers = [nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(), nn.MultiheadAttention(4, 1, dropout=0.5)]
    network = nn.Sequential(*layers).eval()
    layers[1].train()
    with loss_mode(network):
        assert [layer.training for layer in layers] == [True, False, False, False] and network.training
    assert [layer.training for layer in layers] == [False, True, False, False] and not network.training


def test_segmentors_of_other_kinds_are_refused():
    with pytest.raises(ValueError, match='has no decode_head'):
        SegmentorEncoder(WithoutHead())


class WithoutHead(nn.Module):
    """A network that is no segmentor."""

    out_channels = 3
