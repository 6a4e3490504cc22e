# As video_tiny.py, with a discriminator.
_base_ = './video_tiny.py'
optim_wrapper = dict(
    _delete_=True,
    constructor='MultiOptimWrapperConstructor',
    predictor=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3)),
    discriminator=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=5e-4)))
param_scheduler = dict(_delete_=True, predictor=_base_.param_scheduler, discriminator=[])
