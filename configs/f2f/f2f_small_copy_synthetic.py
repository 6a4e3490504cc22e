# The same, started as copy-last by its weights. No standardized feature is expected below -16 deviations.
_base_ = './f2f_small_synthetic.py'
model = dict(predictor=dict(init='copy', init_bound=16.))
