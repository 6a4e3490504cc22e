from .flow import backward_warp, dis_flow, forward_warp, resize_flow
from .frozen import KeepFrozen, freeze
from .pyramid import Pyramid, num_steps, random_crop, slide, time_cat, time_slice

__all__ = [
    'KeepFrozen',
    'Pyramid',
    'backward_warp',
    'dis_flow',
    'forward_warp',
    'freeze',
    'num_steps',
    'random_crop',
    'resize_flow',
    'slide',
    'time_cat',
    'time_slice',
]
