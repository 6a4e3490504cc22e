# With a discriminator of 64x64 scores at both scales. Its weight is balanced by gradients: at a fixed one its
# losses, of scores of about ten, are a hundred times those of the forecast.
_base_ = ['./s2s_2scale_small_synthetic.py', '../_base_/models/score_adversary.py']
model = dict(
    discriminator=_base_.score_adversary,
    gan_loss=_base_.score_gan_loss,
    penalty='gp',
    balance=dict(ratio=0.1, momentum=0.99))
optim_wrapper = dict(
    _delete_=True,
    constructor='MultiOptimWrapperConstructor',
    predictor=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3, weight_decay=1e-4)),
    discriminator=_base_.score_adversary_optimizer)
param_scheduler = dict(_delete_=True, predictor=_base_.param_scheduler, discriminator=[])
