from .formatting import PackForecastInputs
from .geometry import ClipRandomCrop, ClipRandomFlip, ClipResize
from .loading import LoadClipFrames, LoadClipScores, LoadClipSemSeg

__all__ = [
    'ClipRandomCrop',
    'ClipRandomFlip',
    'ClipResize',
    'LoadClipFrames',
    'LoadClipScores',
    'LoadClipSemSeg',
    'PackForecastInputs',
]
