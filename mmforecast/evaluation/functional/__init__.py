from .disjoint import SCORE_RULES, make_disjoint
from .instance_ap import (
    FrameMatches,
    average_precision,
    match_instances,
    mean_average_precision,
)
from .moving_objects import MOVING_CLASSES, moving_from_id_map, moving_from_train_ids
from .sem_seg import (
    confusion_matrix,
    iou_per_class,
    mean_class_accuracy,
    mean_iou,
    per_class_accuracy,
    pixel_accuracy,
)
from .tracking import FrameDistances, match_distances, tracking_scores

__all__ = [
    'FrameDistances',
    'FrameMatches',
    'MOVING_CLASSES',
    'SCORE_RULES',
    'average_precision',
    'confusion_matrix',
    'iou_per_class',
    'make_disjoint',
    'match_distances',
    'match_instances',
    'mean_average_precision',
    'mean_class_accuracy',
    'mean_iou',
    'moving_from_id_map',
    'moving_from_train_ids',
    'per_class_accuracy',
    'pixel_accuracy',
    'tracking_scores',
]
