# The paper's F2F over Mask R-CNN R50-FPN: one network per level P2..P5, three scales on P2; 65,158,144
# parameters. Squared error on the features at every scale, which are taken as the detector makes them.
_base_ = './mask-rcnn_r50_cityscapes.py'
model = dict(
    type='F2FForecaster',
    num_past=4,
    encoder=dict(
        type='DetectorEncoder',
        detector=_base_.detector,
        # of mmdet's model zoo, downloaded once; configs/detectors/mask-rcnn_r50-fpn_cityscapes.py trains one
        checkpoint='zoo://mask-rcnn_r50_fpn_1x_cityscapes',
        chunk=2),
    predictor=dict(
        type='F2FPredictor',
        size_factor=8,
        num_scales=(3, 1, 1, 1),
        losses=dict(mse=dict(type='mmdet.MSELoss'))),
    decoder=dict(type='DetectionDecoder', steps='last'),  # the one that has labels
    train_cfg=dict(rollout_steps=1),
    test_cfg=dict(rollout_steps=3))
del _base_.detector
