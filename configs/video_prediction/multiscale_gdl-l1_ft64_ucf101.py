# Fine-tuning of multiscale_gdl-l1_ucf101.py on 64x64 patches.
_base_ = './multiscale_gdl-l1_ucf101.py'
train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipMotionCrop', size=(64, 64), min_motion=0.005),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
load_from = 'work_dirs/multiscale_gdl-l1_ucf101/iter_500000.pth'
train_cfg = dict(max_iters=100000, val_interval=50000)
param_scheduler = []
optim_wrapper = dict(optimizer=dict(lr=0.005))
