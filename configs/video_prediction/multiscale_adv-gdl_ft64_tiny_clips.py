# Fine-tuning of multiscale_adv-gdl_tiny_clips.py on 64x64 patches, for which the discriminator is made anew.
_base_ = './multiscale_adv-gdl_tiny_clips.py'
model = dict(discriminator=dict(patch_size=(64, 64)))
train_pipeline = [
    dict(type='LoadClipFrames', cache_mb=128),
    dict(type='ClipResize', scale=(160, 120)),
    dict(type='ClipMotionCrop', size=(64, 64), min_motion=0.005),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
load_from = 'work_dirs/multiscale_adv-gdl_tiny_clips/iter_4000.pth'
train_cfg = dict(max_iters=400, val_interval=400)
param_scheduler = dict(_delete_=True, predictor=[], discriminator=[])
optim_wrapper = dict(
    predictor=dict(optimizer=dict(lr=1e-4)))
