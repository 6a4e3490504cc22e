from .sem_seg import (
    confusion_matrix,
    iou_per_class,
    mean_class_accuracy,
    mean_iou,
    per_class_accuracy,
    pixel_accuracy,
)

__all__ = [
    'confusion_matrix',
    'iou_per_class',
    'mean_class_accuracy',
    'mean_iou',
    'per_class_accuracy',
    'pixel_accuracy',
]
