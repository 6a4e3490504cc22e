# The same correction on features that the detector computes, so that it can be scored on any video.
_base_ = './f2f_yolox-nano_driving.py'
model = dict(
    predictor=dict(
        _delete_=True,
        type='CorrectedMotion',
        motion=_base_.motion,
        zero_at_rest=True,
        losses=dict(mse=dict(type='mmdet.MSELoss'))),
    train_cfg=dict(detector_loss=0.2, detector_targets='reference'))
