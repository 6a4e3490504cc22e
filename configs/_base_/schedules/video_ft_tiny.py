# Fine-tuning of a narrow predictor that was trained by video_tiny.py, with its batches.
_base_ = './video_tiny.py'
max_iters = 1000
optim_wrapper = dict(optimizer=dict(lr=3e-4))
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=0, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
