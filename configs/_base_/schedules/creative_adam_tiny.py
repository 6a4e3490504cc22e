# A quarter of an hour on one CPU core, batches of 32.
optim_wrapper = dict(
    constructor='MultiOptimWrapperConstructor',
    generator=dict(
        type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-4, betas=(0.5, 0.999))),
    discriminator=dict(
        type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-4, betas=(0.5, 0.999))))
max_iters = 3600
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters)
custom_hooks = [
    dict(type='SampleGridHook', interval=600),
    dict(type='GANHealthHook', interval=300),
]
model_wrapper_cfg = dict(
    type='mmforecast.AdversarialDistributedDataParallel',
    broadcast_buffers=False,
    find_unused_parameters=True)
auto_scale_lr = dict(enable=False, base_batch_size=32)
