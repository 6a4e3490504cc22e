# A quarter of an hour on one CPU core, batches of 32.
_base_ = './creative_adam.py'
max_iters = 3600
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
custom_hooks = [
    dict(type='SampleGridHook', interval=600),
    dict(type='GANHealthHook', interval=300),
]
auto_scale_lr = dict(base_batch_size=32)
