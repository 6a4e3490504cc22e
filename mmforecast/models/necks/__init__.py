from .dpt import DPTNeck
from .f2f_neck import F2FNeck
from .spatial_pyramid_pooling import SpatialPyramidPooling

__all__ = ['DPTNeck', 'F2FNeck', 'SpatialPyramidPooling']
