# 300 s of processor time on one CPU core, batches of 32: for comparisons of generators of different speed.
_base_ = './creative_adam_tiny.py'
max_iters = 100000  # far more than the time allows
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
custom_hooks = [
    dict(type='SampleGridHook', interval=max_iters, scale=2),
    dict(type='GANHealthHook', interval=300),
    dict(type='ProcessorTimeHook', seconds=300),
]
