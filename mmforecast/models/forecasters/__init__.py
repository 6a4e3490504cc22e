from .base import BaseForecaster
from .s2s import S2SForecaster

__all__ = ['BaseForecaster', 'S2SForecaster']
