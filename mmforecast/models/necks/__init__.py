from mmforecast.models.predictors.f2f import F2FNeck

__all__ = ['F2FNeck']
