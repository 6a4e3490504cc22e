import pytest
import torch

from mmforecast.models.utils import backward_warp, dis_flow, forward_warp, resize_flow


def constant_flow(dx, dy, size=(6, 8)):
    return torch.tensor([dx, dy]).float().view(1, 2, 1, 1).expand(1, 2, *size).contiguous()


def textured(height=64, width=96, seed=0):
    """Smooth random RGB texture, which optical flow can follow."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(1, 3, height // 4, width // 4, generator=generator) * 255
    return torch.nn.functional.interpolate(noise, size=(height, width), mode='bicubic').clamp(0, 255)


def test_whole_pixel_warps_are_shifts():
    maps = torch.rand(1, 3, 6, 8)
    moved, landed = forward_warp(maps, constant_flow(2, 1))
    assert torch.allclose(moved[..., 1:, 2:], maps[..., :-1, :-2])
    assert landed[..., 0, :].eq(0).all() and landed[..., 1:, 2:].eq(1).all()
    sampled = backward_warp(maps, constant_flow(-2, -1))
    assert torch.allclose(sampled[..., 1:, 2:], maps[..., :-1, :-2], atol=1e-5)


def test_zero_flow_is_the_identity():
    maps = torch.rand(2, 3, 5, 7)
    zero = torch.zeros(2, 2, 5, 7)
    assert torch.allclose(forward_warp(maps, zero)[0], maps, atol=1e-6)
    assert torch.allclose(backward_warp(maps, zero), maps, atol=1e-5)


def test_forward_warp_conserves_what_stays_inside():
    maps = torch.rand(1, 1, 8, 8)
    maps[..., :2, :] = maps[..., -2:, :] = maps[..., :2] = maps[..., -2:] = 0
    moved, landed = forward_warp(maps, torch.rand(1, 2, 8, 8) * 2 - 1)
    assert (moved * landed).sum().item() == pytest.approx(maps.sum().item(), rel=1e-4)


def test_resize_flow_rescales_vectors():
    flow = resize_flow(constant_flow(4, 2, (8, 16)), (4, 4))
    assert flow.shape == (1, 2, 4, 4)
    assert torch.allclose(flow[:, 0], torch.tensor(1.0)) and torch.allclose(flow[:, 1], torch.tensor(1.0))


def test_dis_flow_finds_a_translation():
    frame = textured()
    shifted = torch.roll(frame, shifts=(2, 3), dims=(2, 3))
    flow = dis_flow(frame, shifted)[..., 16:-16, 16:-16]
    assert flow[:, 0].median().item() == pytest.approx(3, abs=0.3)
    assert flow[:, 1].median().item() == pytest.approx(2, abs=0.3)


def test_dis_flow_names_missing_frames():
    with pytest.raises(ValueError, match='LoadClipFrames'):
        dis_flow(torch.zeros(1, 3, 0, 0), torch.zeros(1, 3, 0, 0))
