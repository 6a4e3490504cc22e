# The paper's S2S network: two scales, 1,654,950 parameters for 19 classes and 4 past maps; L1 and
# gradient difference loss on the pre-softmax scores at both scales.
num_classes = 19
model = dict(
    type='S2SForecaster',
    variant='S2S',
    num_past=4,
    encoder=dict(type='PrecomputedEncoder', channels=num_classes),
    predictor=dict(
        type='MultiScalePredictor',
        widths=((128, 256, 128), (128, 256, 128)),
        kernels=((3, 3, 3, 3), (5, 3, 3, 5)),
        losses=dict(l1=dict(type='mmdet.L1Loss'), gdl=dict(type='GDLoss', alpha=1))),
    decoder=dict(type='SemSegDecoder'),
    train_cfg=dict(rollout_steps=1),
    test_cfg=dict(rollout_steps=3))
