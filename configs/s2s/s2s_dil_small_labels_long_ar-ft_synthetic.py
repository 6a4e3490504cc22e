# Autoregressive fine-tuning of s2s_dil_small_labels_long_synthetic.py, through three steps.
_base_ = './s2s_dil_small_labels_long_synthetic.py'
model = dict(train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
max_iters = 300
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=20, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
load_from = 'work_dirs/s2s_dil_small_labels_long_synthetic/iter_1100.pth'
