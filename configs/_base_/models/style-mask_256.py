# A style fills a shape mask. The null style gives the mask back. The discriminator sees the image alone.
model = dict(
    type='CreativeGAN',
    condition='mask',
    generator=dict(type='MaskStyleGenerator', output_scale=256, noise_size=100),
    discriminator=dict(
        type='DCGANDiscriminator', input_scale=256, base_channels=32, disc_sees_mask=False),
    ema_config=dict(type='ExponentialMovingAverage', momentum=0.001, start_iter=1000),
    loss_config=dict(
        gan_loss=dict(type='GANLoss', gan_type='vanilla'),
        gen_auxiliary_loss=[dict(type='MaskReconstructionLoss', loss_weight=1.0)]))
