from .base import BaseForecaster
from .f2f import F2FForecaster
from .s2s import S2SForecaster

__all__ = ['BaseForecaster', 'F2FForecaster', 'S2SForecaster']
