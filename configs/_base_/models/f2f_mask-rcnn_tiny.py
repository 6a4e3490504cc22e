# F2F over the small Mask R-CNN of the synthetic street, whose weights ship beside its config. Frames of
# 128x256 are enlarged twofold; the pyramid has P2 (64x128) to P5 (8x16), of 64 channels.
_base_ = './mask-rcnn_tiny.py'
model = dict(
    type='F2FForecaster',
    num_past=4,
    encoder=dict(
        type='DetectorEncoder',
        detector=_base_.detector,
        checkpoint='{{fileDirname}}/../../detectors/weights/mask-rcnn_tiny_synthetic-ed24ec5e.pth',
        size=(256, 512),
        chunk=8),
    predictor=dict(
        type='F2FPredictor',
        size_factor=1,
        losses=dict(mse=dict(type='mmdet.MSELoss'))),
    train_cfg=dict(rollout_steps=3),
    test_cfg=dict(rollout_steps=3))
