# D2D: distance maps of the background and the eight moving classes, one network of 789,769 parameters. The
# encoder's objects are ground truth; `detector` and `checkpoint` replace them by detections.
model = dict(
    type='D2DForecaster',
    num_past=4,
    encoder=dict(type='DistanceMapEncoder', num_classes=9),
    predictor=dict(
        type='D2DPredictor',
        losses=dict(l1=dict(type='ObjectL1Loss'), gdl=dict(type='GDLoss', alpha=1)),
        init_cfg=dict(type='Kaiming', layer='Conv2d', mode='fan_in', distribution='normal')),
    decoder=dict(type='DistanceMapDecoder'),
    train_cfg=dict(rollout_steps=1),
    test_cfg=dict(rollout_steps=3, reference=False))
