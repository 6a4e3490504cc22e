from mmforecast.utils.lazy_exports import lazy_exports

from .formats import FORMATS

__all__ = ['FORMATS', 'Forecast', 'ForecastInferencer', 'decode_masks', 'open_frames']

# The command line reads FORMATS for its help, which must not wait for torch.
lazy_exports(
    __name__,
    forecast_inferencer=['ForecastInferencer'],
    opening=['open_frames'],
    results=['Forecast', 'decode_masks'],
)
