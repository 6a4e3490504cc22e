from .detection import DetectionDecoder
from .sem_seg import SemSegDecoder

__all__ = ['DetectionDecoder', 'SemSegDecoder']
