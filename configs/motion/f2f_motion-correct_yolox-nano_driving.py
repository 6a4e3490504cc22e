# The forecaster of motion with a small learned correction of YOLOX-nano's features, read from disk.
_base_ = './f2f_net_yolox-nano_driving.py'
model = dict(
    predictor=dict(
        _delete_=True,
        type='CorrectedMotion',
        motion=_base_.motion,
        losses=dict(mse=dict(type='mmdet.MSELoss'))),
    train_cfg=dict(crop_size=None))
max_iters = 600
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
