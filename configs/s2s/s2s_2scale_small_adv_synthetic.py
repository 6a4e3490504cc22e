# With a discriminator of 64x64 scores at both scales.
_base_ = ['./s2s_2scale_small_synthetic.py', '../_base_/models/score_adversary.py']
model = dict(
    discriminator=_base_.score_adversary, gan_loss=_base_.score_gan_loss, penalty='gp')
optim_wrapper = dict(
    _delete_=True,
    constructor='MultiOptimWrapperConstructor',
    predictor=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3, weight_decay=1e-4)),
    discriminator=_base_.score_adversary_optimizer)
param_scheduler = dict(_delete_=True, predictor=_base_.param_scheduler, discriminator=[])
