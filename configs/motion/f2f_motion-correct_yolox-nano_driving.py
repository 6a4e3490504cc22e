# The forecaster of motion with a small learned correction of YOLOX-nano's features, read from disk.
_base_ = './f2f_net_yolox-nano_driving.py'
model = dict(
    predictor=dict(
        _delete_=True,
        type='CorrectedMotion',
        motion=_base_.motion,
        losses=dict(mse=dict(type='mmdet.MSELoss'))),
    train_cfg=dict(crop_size=None))
