"""An inferencer without what the libraries below say while it is built and run."""

import contextlib
import io
import warnings

from mmengine.logging import MMLogger

from .forecast_inferencer import ForecastInferencer

__all__ = ['quiet_inferencer']


def quiet_inferencer(**arguments) -> ForecastInferencer:
    """Build a :class:`ForecastInferencer`; mmengine's messages about every file that it reads are suppressed.

    Args:
        arguments: Those of the inferencer.
    """
    # Of no use to somebody who runs a network: they are on its losses, and on coming versions of torch.
    warnings.filterwarnings('ignore', module=r'mm(det|seg)\.')
    warnings.filterwarnings('ignore', message='torch.meshgrid')
    MMLogger.get_current_instance().setLevel('ERROR')
    with contextlib.redirect_stdout(io.StringIO()):
        return ForecastInferencer(**arguments)
