from .coco_ap import COCO_AREAS, Detections, coco_ap, labels_in, mean_coco_ap
from .disjoint import SCORE_RULES, make_disjoint
from .image_quality import gradient_energy, psnr, sharpness_difference, ssim
from .image_quality_iclr16 import ICLR16_GATE, psnr_iclr16, sharpness_iclr16, ssim_iclr16
from .instance_ap import (
    FrameMatches,
    average_precision,
    match_instances,
    mean_average_precision,
)
from .motion import moving_pixels
from .moving_objects import MOVING_CLASSES, moving_from_id_map, moving_from_train_ids
from .panoptic import (
    PANOPTIC_GROUPS,
    mean_panoptic_quality,
    panoptic_counts,
    panoptic_quality,
)
from .perceptual import load_lpips, lpips_distance
from .sem_seg import (
    confusion_matrix,
    iou_per_class,
    mean_class_accuracy,
    mean_iou,
    per_class_accuracy,
    pixel_accuracy,
    row_shares,
)
from .streaming import (
    Latency,
    PairingSummary,
    StreamOutput,
    pair_outputs,
    simulate_stream,
    summarize_pairs,
)
from .tracking import FrameDistances, match_distances, tracking_scores

__all__ = [
    'COCO_AREAS',
    'Detections',
    'FrameDistances',
    'FrameMatches',
    'ICLR16_GATE',
    'Latency',
    'MOVING_CLASSES',
    'PANOPTIC_GROUPS',
    'SCORE_RULES',
    'PairingSummary',
    'StreamOutput',
    'average_precision',
    'coco_ap',
    'confusion_matrix',
    'iou_per_class',
    'gradient_energy',
    'labels_in',
    'load_lpips',
    'lpips_distance',
    'make_disjoint',
    'match_distances',
    'match_instances',
    'mean_average_precision',
    'mean_class_accuracy',
    'mean_coco_ap',
    'mean_iou',
    'mean_panoptic_quality',
    'moving_from_id_map',
    'moving_from_train_ids',
    'panoptic_counts',
    'panoptic_quality',
    'per_class_accuracy',
    'pair_outputs',
    'pixel_accuracy',
    'moving_pixels',
    'psnr',
    'psnr_iclr16',
    'row_shares',
    'sharpness_difference',
    'sharpness_iclr16',
    'simulate_stream',
    'ssim',
    'ssim_iclr16',
    'summarize_pairs',
    'tracking_scores',
]
