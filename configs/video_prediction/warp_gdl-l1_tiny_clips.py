# A variant of ours: the flow baseline with a learned velocity and correction. It sees flow, and so larger
# crops, and is trained through two steps.
_base_ = './multiscale_l2_tiny_clips.py'
model = dict(
    predictor=dict(
        _delete_=True,
        type='WarpCorrectPredictor',
        losses=dict(l1=dict(type='mmdet.L1Loss'), gdl=dict(type='GDLoss', alpha=1))),
    train_cfg=dict(rollout_steps=2))
train_pipeline = [
    dict(type='LoadClipFrames', cache_mb=128),
    dict(type='ClipResize', scale=(160, 120)),
    dict(type='ClipMotionCrop', size=(96, 128), min_motion=0.0),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(batch_size=4, dataset=dict(num_future=2, pipeline=train_pipeline))
max_iters = 1500
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=0, end=max_iters),
]
