# The network of Elgammal et al. 2017: 45.3 million parameters, and 15.9 with 25 styles.
model = dict(
    type='CreativeGAN',
    generator=dict(type='CANGenerator', output_scale=256, noise_size=100),
    discriminator=dict(type='CANDiscriminator', input_scale=256),
    ema_config=dict(type='ExponentialMovingAverage', momentum=0.001, start_iter=1000),
    loss_config=dict(gan_loss=dict(type='GANLoss', gan_type='vanilla')))
