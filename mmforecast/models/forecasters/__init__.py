from .base import BaseForecaster
from .d2d import D2DForecaster
from .f2f import F2FForecaster
from .s2s import S2SForecaster

__all__ = ['BaseForecaster', 'D2DForecaster', 'F2FForecaster', 'S2SForecaster']
