# The same as a network of changes, which starts as copy-last: the published layers, whose output is added to
# the newest features.
_base_ = './f2f_small_synthetic.py'
model = dict(predictor=dict(base='last'))
optim_wrapper = dict(optimizer=dict(lr=5e-4))
