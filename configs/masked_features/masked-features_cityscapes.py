# DINO-Foresight, the first stage: 224x448, 800 epochs of 46 steps, 6.4e-4 for batches of 64 (8 GPUs of 8
# clips).
_base_ = [
    '../_base_/models/masked_features.py', '../_base_/datasets/cityscapes_frames.py',
    '../_base_/schedules/masked_adam.py', '../_base_/default_runtime_iter.py'
]
train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipRandomFlip'),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(
    batch_size=8, dataset=dict(anchor=None, stride=(2, 4), pipeline=train_pipeline))
max_iters = 800 * 46
optim_wrapper = dict(optimizer=dict(lr=6.4e-4), accumulative_counts=1)
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=False, begin=0, end=max_iters)
]
train_cfg = dict(max_iters=max_iters, val_interval=10 * 46)
