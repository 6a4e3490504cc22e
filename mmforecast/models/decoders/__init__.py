from .detection import DetectionDecoder
from .flow_instances import FlowInstanceDecoder
from .sem_seg import SemSegDecoder

__all__ = ['DetectionDecoder', 'FlowInstanceDecoder', 'SemSegDecoder']
