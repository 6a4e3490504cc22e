# YOLOX-nano's features, moved by the forecaster of motion, with a small learned correction. It learns the
# features of the true future, and what the detector finds in it; what does not move is left as it is.
_base_ = './f2f_yolox-nano.py'
model = dict(
    predictor=dict(
        _delete_=True,
        type='CorrectedMotion',
        motion=_base_.motion,
        zero_at_rest=True,
        losses=dict(mse=dict(type='mmdet.MSELoss'))),
    train_cfg=dict(detector_loss=0.2, detector_targets='reference'))
