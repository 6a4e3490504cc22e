# The masked transformer on all levels of the small detector's pyramid, P2 to P5, in the 8x16 cells of P5.
_base_ = [
    '../_base_/models/masked_features_tiny.py', '../_base_/models/f2f_mask-rcnn_tiny.py',
    '../_base_/datasets/synthetic_street_instances.py', '../_base_/schedules/tiny.py',
    '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(standardize=True),
    predictor=dict(_delete_=True, size=(8, 16), **_base_.masked_features),
    train_cfg=dict(rollout_steps=1))
max_iters = 450
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=20, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
del _base_.masked_features, _base_.detector
