# A conditional discriminator of 64x64 scores of 19 classes at two scales, and a Wasserstein loss, to be
# included in configs of S2S.
score_adversary = dict(
    type='MultiScaleDiscriminator',
    patch_size=(64, 64),
    condition_channels=4 * 19,
    candidate_channels=19,
    widths=((64, 128, 128), (64, 128, 128)),
    kernels=((5, 5, 5), (5, 5, 5)),
    hidden=((512, ), (512, )),
    pools=(2, 4))
score_gan_loss = dict(type='GANLoss', gan_type='wgan', loss_weight=0.05)
score_adversary_optimizer = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4, betas=(0.5, 0.9)))
model_wrapper_cfg = dict(type='mmforecast.AdversarialDistributedDataParallel')
