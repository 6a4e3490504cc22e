# As video_ft_tiny.py, against a discriminator that learns alone for 40 iterations. Both rates go down alike.
_base_ = './video_ft_tiny.py'
optim_wrapper = dict(
    _delete_=True,
    constructor='MultiOptimWrapperConstructor',
    predictor=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=3e-4)),
    discriminator=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=3e-4)))
param_scheduler = dict(
    _delete_=True,
    predictor=[dict(type='ConstantLR', factor=0., by_epoch=False, begin=0, end=40)] +
    _base_.param_scheduler,
    discriminator=_base_.param_scheduler)
