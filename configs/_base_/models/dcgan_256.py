# DCGAN at 256x256: 12.8 and 11.2 million parameters; attributes as of dcgan_64.py.
model = dict(
    type='CreativeGAN',
    generator=dict(type='DCGANGenerator', output_scale=256, base_channels=1024, noise_size=100),
    discriminator=dict(type='DCGANDiscriminator', input_scale=256, base_channels=32),
    ema_config=dict(type='ExponentialMovingAverage', momentum=0.001, start_iter=1000),
    loss_config=dict(gan_loss=dict(type='GANLoss', gan_type='vanilla')))
