# The paper's network, twice as wide as f2f_tiny_synthetic.py, so that 64 channels fit through it
# (`init='copy'`): standardized features from disk, windows of a quarter of the frame, one step.
_base_ = [
    '../_base_/models/f2f_mask-rcnn_tiny.py', '../_base_/datasets/synthetic_street_features.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(standardize=True),
    predictor=dict(size_factor=2),
    train_cfg=dict(rollout_steps=1))
custom_hooks = [dict(type='FeatureStatisticsHook', num_clips=64)]
max_iters = 1000
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
