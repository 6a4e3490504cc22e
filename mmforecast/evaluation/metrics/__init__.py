from .cityscapes_instance_metric import CityscapesInstanceMetric
from .clip_detection_metric import ClipDetectionMetric
from .detection_agreement_metric import DetectionAgreementMetric
from .dump_forecast_results import DumpForecastResults
from .frame_prediction_metric import FramePredictionMetric
from .future_sem_seg_metric import FutureSemSegMetric
from .panoptic_metric import PanopticMetric
from .tracking_metric import TrackingMetric

__all__ = [
    'CityscapesInstanceMetric',
    'ClipDetectionMetric',
    'DetectionAgreementMetric',
    'DumpForecastResults',
    'FramePredictionMetric',
    'FutureSemSegMetric',
    'PanopticMetric',
    'TrackingMetric',
]
