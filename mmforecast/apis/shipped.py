"""The shipped systems: configs and weights that forecast any video without further settings."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ['DEFAULT_SYSTEM', 'SYSTEMS', 'ShippedSystem', 'shipped_file']

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class ShippedSystem:
    """One of :data:`SYSTEMS`.

    Attributes:
        title: Its name in pictures.
        config: File under the folder that holds ``configs``.
        weights: Likewise; None where a baseline is run instead, or where the config names its weights.
        baseline: The forecaster's baseline that is run where no weights are shipped.
        note: What to expect of it, in one sentence.
    """

    title: str
    config: str
    weights: str | None
    baseline: str | None
    note: str


_DETECTOR = 'a small detector that knows a drawn, synthetic street'
SYSTEMS = {
    'f2f': ShippedSystem(
        'F2F-warp',
        'configs/f2f/f2f_warp_tiny_synthetic.py',
        'configs/f2f/weights/f2f_warp_tiny_synthetic-6e61a82d.pth',
        None,
        'its weights, and those of its small detector, were trained on a drawn, synthetic street: expect '
        'little of them in real video',
    ),
    'video': ShippedSystem(
        'motion forecaster',
        'configs/motion/video.py',
        None,
        None,
        'the newest frame moves on as the camera and what it sees do; what comes into view is a guess',
    ),
    's2s': ShippedSystem(
        'flow',
        'configs/f2f/s2s-maps_tiny_synthetic.py',
        None,
        'flow',
        'no trained S2S is shipped: the flow baseline moves the label maps on that are painted by '
        f'{_DETECTOR}',
    ),
    'd2d': ShippedSystem(
        'flow',
        'configs/d2d/d2d_detector_tiny_synthetic.py',
        None,
        'flow',
        'no trained D2D is shipped: the flow baseline moves the distance maps on of what is seen by '
        f'{_DETECTOR}',
    ),
}

# It needs no training on videos like the given one.
DEFAULT_SYSTEM = 'video'


def shipped_file(name: str) -> str:
    """The path of a file of the checkout or, in an installed package, of its ``.mim`` folder.

    Raises:
        FileNotFoundError: It is in neither.
    """
    for root in (_PACKAGE.parent, _PACKAGE / '.mim'):
        if (root / name).is_file():
            return str(root / name)
    raise FileNotFoundError(
        f'{name} is neither beside the package {_PACKAGE} nor in its folder .mim: install mmforecast '
        'again (pip install -e . in a checkout)'
    )
