# DCGAN at 64x64, narrow enough for a CPU: 1.1 and 0.7 million parameters.
model = dict(
    type='CreativeGAN',
    generator=dict(type='DCGANGenerator', output_scale=64, base_channels=256, noise_size=100),
    discriminator=dict(type='DCGANDiscriminator', input_scale=64, base_channels=32),
    ema_config=dict(type='ExponentialMovingAverage', momentum=0.005, start_iter=300),
    loss_config=dict(gan_loss=dict(type='GANLoss', gan_type='vanilla', real_label_val=0.9)),
    # Few images: the discriminator sees them moved, and is never quite sure (one-sided label smoothing).
    augmentation=dict(translation=0.125))
