# Autoregressive fine-tuning: back-propagation through three steps, from the one-step weights.
_base_ = './d2d_cached_cityscapes.py'
model = dict(train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
optim_wrapper = dict(optimizer=dict(lr=1e-5))
max_iters = 5000
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=1e-6, by_epoch=False, begin=0, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(checkpoint=dict(interval=max_iters))
load_from = 'work_dirs/d2d_cached_cityscapes/iter_40000.pth'
