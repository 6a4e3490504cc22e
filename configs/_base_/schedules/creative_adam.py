# One step of either network per batch of 64. Adam's settings are DCGAN's; the number of iterations is ours.
optim_wrapper = dict(
    constructor='MultiOptimWrapperConstructor',
    generator=dict(
        type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-4, betas=(0.5, 0.999))),
    discriminator=dict(
        type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-4, betas=(0.5, 0.999))))
max_iters = 40000
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters)
custom_hooks = [
    dict(type='SampleGridHook', interval=1000),
    dict(type='GANHealthHook', interval=1000),
]
model_wrapper_cfg = dict(type='mmforecast.AdversarialDistributedDataParallel')
auto_scale_lr = dict(enable=False, base_batch_size=64)
