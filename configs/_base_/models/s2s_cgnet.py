# S2S over CGNet, whose scores are 1/8 of the frames: the forecaster of motion moves them at the size of the
# frames, as they would be upsampled for the label map.
_base_ = ['./cgnet_camvid.py', './motion.py']
model = dict(
    type='S2SForecaster',
    num_past=3,
    encoder=dict(
        type='CachedEncoder',  # each frame is in many clips
        encoder=dict(
            type='SegmentorEncoder',
            segmentor=_base_.segmentor,
            checkpoint='checkpoints/cgnet_camvid_mmseg.pth',
            stride=1)),
    predictor=_base_.motion,
    train_cfg=dict(rollout_steps=3),
    test_cfg=dict(rollout_steps=3))
del _base_.segmentor, _base_.norm_cfg
