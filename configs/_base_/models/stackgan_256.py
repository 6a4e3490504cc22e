# StackGAN's second stage over a frozen DCGAN of 64x64, without text.
model = dict(
    type='CreativeGAN',
    generator=dict(
        type='StackGANGenerator',
        stage1=dict(type='DCGANGenerator', output_scale=64, base_channels=1024, noise_size=100)),
    discriminator=dict(type='DCGANDiscriminator', input_scale=256, base_channels=32),
    ema_config=dict(type='ExponentialMovingAverage', momentum=0.001, start_iter=1000),
    loss_config=dict(gan_loss=dict(type='GANLoss', gan_type='vanilla')))
