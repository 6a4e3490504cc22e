from .f2f_neck import F2FNeck

__all__ = ['F2FNeck']
