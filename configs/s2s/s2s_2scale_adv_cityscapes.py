# The paper's adversarial variant: a conditional discriminator of the scores beside the losses. That it is a
# Wasserstein one is recalled, not verified; its layers, the penalty and the weights are ours.
_base_ = ['./s2s_2scale_cityscapes.py', '../_base_/models/score_adversary.py']
model = dict(
    discriminator=_base_.score_adversary, gan_loss=_base_.score_gan_loss, penalty='gp')
optim_wrapper = dict(
    _delete_=True,
    constructor='MultiOptimWrapperConstructor',
    predictor=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01)),
    discriminator=_base_.score_adversary_optimizer)
