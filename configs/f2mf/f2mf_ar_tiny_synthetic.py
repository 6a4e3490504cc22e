# F2MF on the synthetic street, fine-tuned through three steps, each of which sees the forecasts before it.
_base_ = './f2mf_tiny_synthetic.py'
model = dict(train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
load_from = 'work_dirs/f2mf_tiny_synthetic/iter_500.pth'
max_iters = 1000
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
