"""LPIPS (Zhang et al., CVPR 2018), with a network that the user brings.

The package ``lpips`` needs torchvision, which mmforecast does without. A TorchScript file of its network needs
neither.
"""

from os import PathLike
from pathlib import Path

import numpy as np
import torch

from .image_quality import checked_pair

_RECIPE = (
    'where torchvision and lpips are installed, make it with: python -c "import torch, lpips; '
    "x = torch.zeros(1, 3, 64, 64); torch.jit.trace(lpips.LPIPS(net='alex').eval(), (x, x))"
    ".save('lpips_alex.pt')\""
)


def load_lpips(path: str | PathLike) -> torch.jit.ScriptModule:
    """The network of a TorchScript file, on the CPU, in eval mode.

    It takes two batches (B, 3, H, W) RGB in [-1, 1] and gives B distances, as ``lpips.LPIPS`` does; traced at
    one size it serves all.

    Raises:
        FileNotFoundError: There is no such file; the message says how to make one.
        ValueError: It isn't TorchScript.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'LPIPS needs its network as a TorchScript file, and there is none at {str(path)!r}; {_RECIPE}'
        )
    try:
        return torch.jit.load(str(path), map_location='cpu').eval()
    except RuntimeError as error:
        raise ValueError(f'{str(path)!r} is no TorchScript file of LPIPS; {_RECIPE}') from error


@torch.no_grad()
def lpips_distance(network: torch.nn.Module, pred: np.ndarray, target: np.ndarray) -> float:
    """LPIPS of two frames (3, H, W) RGB in [0, 255]: 0 where they are equal, and less is better."""
    pair = [torch.from_numpy(frame / 127.5 - 1).float()[None] for frame in checked_pair(pred, target)]
    return float(network(*pair).squeeze())
