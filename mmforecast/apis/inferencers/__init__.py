from typing import TYPE_CHECKING

from mmforecast.utils.lazy_exports import lazy_exports

from .formats import FORMATS

if TYPE_CHECKING:
    from .forecast_inferencer import ForecastInferencer
    from .opening import open_frames
    from .results import Forecast, decode_masks

__all__ = ['FORMATS', 'Forecast', 'ForecastInferencer', 'decode_masks', 'open_frames']

# The command line reads FORMATS for its help, which must not wait for torch.
lazy_exports(__name__, __file__)
