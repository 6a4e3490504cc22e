# The paper's adversarial variant: a conditional discriminator of the scores beside the losses. That it is a
# Wasserstein one is recalled, not verified; its layers, the penalty and the weights are ours.
_base_ = './s2s_2scale_cityscapes.py'
model = dict(
    discriminator=dict(
        type='MultiScaleDiscriminator',
        patch_size=(64, 64),
        condition_channels=4 * 19,
        candidate_channels=19,
        widths=((64, 128, 128), (64, 128, 128)),
        kernels=((5, 5, 5), (5, 5, 5)),
        hidden=((512, ), (512, )),
        pools=(2, 4)),
    gan_loss=dict(type='GANLoss', gan_type='wgan', loss_weight=0.05),
    penalty='gp')
model_wrapper_cfg = dict(type='mmforecast.AdversarialDistributedDataParallel')
optim_wrapper = dict(
    _delete_=True,
    constructor='MultiOptimWrapperConstructor',
    predictor=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01)),
    discriminator=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4, betas=(0.5, 0.9))))
