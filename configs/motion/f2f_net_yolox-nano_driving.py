# The paper's F2F network over YOLOX-nano, one step ahead. Features are read from disk, and windows of them are
# trained on.
_base_ = [
    '../_base_/models/f2f_net_yolox-nano.py', '../_base_/datasets/driving_features.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(train_cfg=dict(rollout_steps=1, crop_size=(24, 80)))
train_dataloader = dict(
    dataset=dict(datasets=[
        dict(_base_.residential, num_future=1),
        dict(_base_.highway, num_future=1),
    ]))
max_iters = 1500
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
