# DCGAN at 64x64: 12.7 and 2.8 million parameters. Attributes of the discriminator and a creativity loss make
# it CAN, CAN(H) or Sharma-Mittal.
model = dict(
    type='CreativeGAN',
    generator=dict(type='DCGANGenerator', output_scale=64, base_channels=1024, noise_size=100),
    discriminator=dict(type='DCGANDiscriminator', input_scale=64, base_channels=64),
    ema_config=dict(type='ExponentialMovingAverage', momentum=0.001, start_iter=1000),
    loss_config=dict(gan_loss=dict(type='GANLoss', gan_type='vanilla')))
