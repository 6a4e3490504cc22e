# S2S-warp on label maps of the eight moving classes, drawn from the detections of the shipped detector, as
# `maps_encoder`; a config adds the encoder and a decoder.
_base_ = './mask-rcnn_tiny.py'
maps_encoder = dict(
    type='DetectorMapEncoder',
    detector=_base_.detector,
    checkpoint='{{fileDirname}}/../../detectors/weights/mask-rcnn_tiny_synthetic-ed24ec5e.pth')
model = dict(
    type='S2SForecaster',
    num_past=4,
    predictor=dict(
        type='WarpCorrectPredictor',
        losses=dict(
            ce=dict(
                type='ScoreCrossEntropyLoss', temperature=0.25, class_weight=[1.] + [2.2] * 8))),
    decoder=dict(type='SemSegDecoder'),
    train_cfg=dict(rollout_steps=3),
    test_cfg=dict(rollout_steps=3))
