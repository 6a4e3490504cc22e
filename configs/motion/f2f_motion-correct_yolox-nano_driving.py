# The forecaster of motion with a small learned correction of YOLOX-nano's features, read from disk. It learns the
# features of the true future, and what the detector finds in it; what does not move is left as it is.
_base_ = './f2f_net_yolox-nano_driving.py'
model = dict(
    predictor=dict(
        _delete_=True,
        type='CorrectedMotion',
        motion=_base_.motion,
        zero_at_rest=True,
        losses=dict(mse=dict(type='mmdet.MSELoss'))),
    train_cfg=dict(crop_size=None, detector_loss=0.2, detector_targets='reference'))
max_iters = 500
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
