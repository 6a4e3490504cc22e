"""Weights of other projects, and of parts of ours, under the names of our models."""

from .assemble import assemble_levels
from .detectron import (
    DETECTRON_CITYSCAPES_CLASSES,
    MMDET_SETTINGS,
    bbox_reg_weights,
    class_order,
    detectron_to_mmdet,
    read_detectron,
)
from .f2f import f2f_to_neck, read_f2f
from .files import save_weights
from .masked import dino_foresight_to_forecaster, dpt_to_segmentor, futurist_to_predictor, read_lightning
from .yolox import read_yolox, yolox_config, yolox_to_mmdet

__all__ = [
    'DETECTRON_CITYSCAPES_CLASSES',
    'MMDET_SETTINGS',
    'assemble_levels',
    'bbox_reg_weights',
    'class_order',
    'detectron_to_mmdet',
    'dino_foresight_to_forecaster',
    'dpt_to_segmentor',
    'f2f_to_neck',
    'futurist_to_predictor',
    'read_detectron',
    'read_f2f',
    'read_lightning',
    'read_yolox',
    'save_weights',
    'yolox_config',
    'yolox_to_mmdet',
]
