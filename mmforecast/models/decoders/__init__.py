from .sem_seg import SemSegDecoder

__all__ = ['SemSegDecoder']
