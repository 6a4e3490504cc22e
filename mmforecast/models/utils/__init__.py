from mmforecast.utils.flow import backward_warp, dis_flow, forward_warp, resize_flow

from .adversarial import (
    AdversarialDistributedDataParallel,
    AdversarialTrainMixin,
    real_fake_accuracy,
    real_fake_scalars,
)
from .frozen import KeepFrozen, freeze, loss_mode
from .pyramid import Pyramid, num_steps, random_crop, slide, time_cat, time_slice
from .rgb import rgb_to_unit, unit_to_rgb
from .unwrapped import Unwrapped

__all__ = [
    'AdversarialDistributedDataParallel',
    'AdversarialTrainMixin',
    'KeepFrozen',
    'Pyramid',
    'Unwrapped',
    'backward_warp',
    'dis_flow',
    'forward_warp',
    'freeze',
    'loss_mode',
    'num_steps',
    'random_crop',
    'real_fake_accuracy',
    'real_fake_scalars',
    'resize_flow',
    'rgb_to_unit',
    'slide',
    'time_cat',
    'time_slice',
    'unit_to_rgb',
]
