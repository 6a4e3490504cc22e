# As video_ft_tiny.py, against a discriminator that learns alone for 40 iterations. Both rates go down alike.
_base_ = './video_ft_tiny.py'
alone = 40  # iterations
optim_wrapper = dict(
    _delete_=True,
    constructor='MultiOptimWrapperConstructor',
    predictor=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=3e-4)),
    discriminator=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=3e-4)))
param_scheduler = dict(
    _delete_=True,
    predictor=[
        # as good as 0, which mmengine can't come back from
        dict(type='ConstantLR', factor=1e-8, by_epoch=False, begin=0, end=alone),
        dict(
            type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=alone, end=_base_.max_iters)
    ],
    discriminator=_base_.param_scheduler)
