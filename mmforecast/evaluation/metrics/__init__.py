from .future_sem_seg_metric import FutureSemSegMetric

__all__ = ['FutureSemSegMetric']
