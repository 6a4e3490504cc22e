# The same as a network of changes, which starts as copy-last: the published layers, whose output is added to
# the newest features.
_base_ = './f2f_small_synthetic.py'
model = dict(predictor=dict(base='last'))
max_iters = 1000
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
