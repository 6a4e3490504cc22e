from .multi_scale import MultiScaleDiscriminator

__all__ = [
    'MultiScaleDiscriminator',
]
