# The paper's F2F network at the width of YOLOX-nano's 64 channels: hidden layers are twice as wide and as wide
# (128 and 64), as with the paper's 256; three scales on the finest level. Features are read from disk,
# and windows of them are trained on.
_base_ = [
    '../_base_/models/f2f_yolox-nano.py', '../_base_/datasets/driving_features.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    predictor=dict(
        _delete_=True,
        type='F2FPredictor',
        size_factor=2,
        losses=dict(mse=dict(type='mmdet.MSELoss'))),
    train_cfg=dict(crop_size=(24, 80)))
max_iters = 1500
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
