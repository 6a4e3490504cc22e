# The masked transformer on true label maps of the synthetic street, one step; rolled out at the mid term.
_base_ = [
    '../_base_/models/masked_labels_tiny.py', '../_base_/datasets/synthetic_street.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
train_pipeline = [
    dict(type='LoadClipSemSeg'),
    dict(type='ClipRandomFlip'),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
max_iters = 2500
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=100, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
