"""Hooks for the training of image generators."""

from .gan_health_hook import GANHealthHook
from .sample_grid_hook import SampleGridHook

__all__ = [
    'GANHealthHook',
    'SampleGridHook',
]
