# As video_sgd.py, with a discriminator at 0.02, batches of 8.
_base_ = './video_sgd.py'
optim_wrapper = dict(
    _delete_=True,
    constructor='MultiOptimWrapperConstructor',
    predictor=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.04)),
    discriminator=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.02)))
param_scheduler = dict(_delete_=True, predictor=_base_.param_scheduler, discriminator=[])
auto_scale_lr = dict(base_batch_size=8)
