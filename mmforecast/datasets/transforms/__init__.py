from mmforecast.utils.moved_names import forward_moved_names

from .camera_speed import ClipCameraSpeed
from .depth import LoadClipDepth
from .formatting import PackForecastInputs
from .geometry import ClipMotionCrop, ClipRandomCrop, ClipRandomFlip, ClipResize
from .instances import LoadClipInstances
from .loading import LoadClipFrames, LoadClipSemSeg
from .motion import LoadClipMotion
from .motion_masks import LoadMotionMasks
from .multiples import ClipCropToMultiple, ClipPadToMultiple
from .representations import ClipRandomFeatureCrop, LoadClipFeatures, LoadClipScores

__all__ = [
    'ClipCameraSpeed',
    'ClipCropToMultiple',
    'ClipMotionCrop',
    'ClipPadToMultiple',
    'ClipRandomCrop',
    'ClipRandomFeatureCrop',
    'ClipRandomFlip',
    'ClipResize',
    'LoadClipDepth',
    'LoadClipFeatures',
    'LoadClipFrames',
    'LoadClipInstances',
    'LoadClipMotion',
    'LoadClipScores',
    'LoadClipSemSeg',
    'LoadMotionMasks',
    'PackForecastInputs',
]

forward_moved_names(
    __name__,
    creative__datasets=(
        'CacheTransforms FitToSquare LoadGarmentMask LoadRGBImage PackCreativeInputs RandomJitter'
    ),
)
