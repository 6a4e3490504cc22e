"""Dense optical flow and the warping of maps along it."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .frame_memory import remembered


def dis_flow(source: Tensor, target: Tensor) -> Tensor:
    """Flow from ``source`` to ``target`` with OpenCV's DIS (Kroeger et al., ECCV 2016).

    Args:
        source, target: (B, 3, H, W) RGB in [0, 255], H and W at least 16.

    Returns:
        (B, 2, H, W) float32, (dx, dy) in pixels: what is at p in ``source`` is at p + flow(p) in
        ``target``. Where a :class:`~.frame_memory.FrameMemory` is in use, it may be kept: do not change it in
        place.
    """
    height, width = source.shape[-2:]
    if min(height, width) < 16:
        raise ValueError(
            f'DIS flow needs frames of at least 16x16 pixels, got {height}x{width}; '
            'the flow baseline needs RGB frames: add LoadClipFrames to the pipeline'
        )
    return remembered('dis_flow', (source, target), None, lambda: _dis_flow(source, target))


def _dis_flow(source: Tensor, target: Tensor) -> Tensor:
    estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flows = [estimator.calc(_gray(a), _gray(b), None) for a, b in zip(source, target)]
    flow = torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2).contiguous()
    return flow.to(source.device)


def _gray(frame: Tensor) -> np.ndarray:
    rgb = frame.permute(1, 2, 0).clamp(0, 255).to(torch.uint8).cpu().numpy()
    return cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)


def resize_flow(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample a flow field to (h, w) and rescale its vectors to the new pixel size."""
    height, width = flow.shape[-2:]
    if (height, width) == tuple(size):
        return flow
    flow = F.interpolate(flow, size=size, mode='bilinear', align_corners=False)
    scale = flow.new_tensor([size[1] / width, size[0] / height])
    return flow * scale.view(1, 2, 1, 1)


def _positions(flow: Tensor) -> tuple[Tensor, Tensor]:
    """x and y coordinates, each (B, H, W), of where every pixel goes."""
    height, width = flow.shape[-2:]
    xs = torch.arange(width, device=flow.device, dtype=flow.dtype)
    ys = torch.arange(height, device=flow.device, dtype=flow.dtype)
    return flow[:, 0] + xs, flow[:, 1] + ys[:, None]


def backward_warp(maps: Tensor, flow: Tensor, outside: str = 'border') -> Tensor:
    """Sample ``maps`` at ``p + flow(p)``, bilinear.

    Args:
        maps: (B, C, H, W).
        flow: (B, 2, H, W) in pixels.
        outside: 'border' repeats the border, 'zeros' finds 0 there.
    """
    height, width = maps.shape[-2:]
    x, y = _positions(flow)
    grid = torch.stack((2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1), dim=-1)
    return F.grid_sample(maps, grid, mode='bilinear', padding_mode=outside, align_corners=True)


def forward_warp(maps: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Move every pixel of ``maps`` along ``flow`` (bilinear splatting, average where several land).

    Args:
        maps: (B, C, H, W).
        flow: (B, 2, H, W) in pixels.

    Returns:
        The moved maps (B, C, H, W), 0 where nothing landed, and the landed weight (B, 1, H, W).
    """
    batch, channels, height, width = maps.shape
    x, y = _positions(flow)
    x0, y0 = x.floor(), y.floor()
    source = torch.cat((maps, torch.ones_like(maps[:, :1])), dim=1).flatten(2)
    out = source.new_zeros(batch, channels + 1, height * width)
    for dy in (0, 1):
        for dx in (0, 1):
            xi, yi = x0 + dx, y0 + dy
            weight = (1 - (x - xi).abs()) * (1 - (y - yi).abs())
            inside = (xi >= 0) & (xi < width) & (yi >= 0) & (yi < height)
            index = (yi.clamp(0, height - 1) * width + xi.clamp(0, width - 1)).long().flatten(1)
            weight = (weight * inside).flatten(1)[:, None]
            out.scatter_add_(2, index[:, None].expand_as(source), source * weight)
    out = out.view(batch, channels + 1, height, width)
    landed = out[:, -1:]
    return out[:, :-1] / landed.clamp(min=1e-6), landed
