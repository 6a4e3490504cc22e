# Autoregressive fine-tuning of f2f_net_yolox-nano_driving.py, through three steps.
_base_ = './f2f_net_yolox-nano_driving.py'
model = dict(train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(datasets=[_base_.residential, _base_.highway]))
max_iters = 500
optim_wrapper = dict(optimizer=dict(lr=2e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=20, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
load_from = 'work_dirs/f2f_net_yolox-nano_driving/iter_1500.pth'
