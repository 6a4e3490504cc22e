from .formatting import PackForecastInputs
from .geometry import ClipRandomCrop, ClipRandomFlip, ClipResize
from .instances import LoadClipInstances
from .loading import LoadClipFrames, LoadClipSemSeg
from .representations import ClipRandomFeatureCrop, LoadClipFeatures, LoadClipScores

__all__ = [
    'ClipRandomCrop',
    'ClipRandomFeatureCrop',
    'ClipRandomFlip',
    'ClipResize',
    'LoadClipFeatures',
    'LoadClipFrames',
    'LoadClipInstances',
    'LoadClipScores',
    'LoadClipSemSeg',
    'PackForecastInputs',
]
