from .caching import CacheTransforms
from .formatting import PackCreativeInputs, PackForecastInputs
from .geometry import ClipMotionCrop, ClipRandomCrop, ClipRandomFlip, ClipResize
from .images import FitToSquare, LoadGarmentMask, LoadRGBImage, RandomJitter
from .instances import LoadClipInstances
from .loading import LoadClipFrames, LoadClipSemSeg
from .motion_masks import LoadMotionMasks
from .multiples import ClipCropToMultiple, ClipPadToMultiple
from .representations import ClipRandomFeatureCrop, LoadClipFeatures, LoadClipScores

__all__ = [
    'CacheTransforms',
    'ClipCropToMultiple',
    'ClipMotionCrop',
    'ClipPadToMultiple',
    'ClipRandomCrop',
    'ClipRandomFeatureCrop',
    'ClipRandomFlip',
    'ClipResize',
    'FitToSquare',
    'LoadClipFeatures',
    'LoadClipFrames',
    'LoadClipInstances',
    'LoadClipScores',
    'LoadClipSemSeg',
    'LoadGarmentMask',
    'LoadRGBImage',
    'LoadMotionMasks',
    'PackCreativeInputs',
    'PackForecastInputs',
    'RandomJitter',
]
