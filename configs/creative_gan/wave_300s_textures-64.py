# Waves, noise and pixel-wise layers instead of DCGAN's generator, on generated textures, for 300 s of
# processor time. The discriminator is that of dcgan_300s_textures-64.py.
_base_ = './dcgan_300s_textures-64.py'
model = dict(
    generator=dict(_delete_=True, type='WaveTextureGenerator', output_scale=64, noise_size=100))
optim_wrapper = dict(generator=dict(optimizer=dict(lr=1e-3)))
