# The paper's predictor: four scales, 12,569,740 parameters; RGB in [-1, 1], 4 frames in, 1 out.
model = dict(
    type='VideoForecaster',
    num_past=4,
    predictor=dict(
        type='MultiScalePredictor',
        widths=((128, 256, 128), (128, 256, 128), (128, 256, 512, 256, 128), (128, 256, 512, 256, 128)),
        kernels=((3, 3, 3, 3), (5, 3, 3, 5), (5, 3, 3, 3, 3, 5), (7, 5, 5, 5, 5, 7)),
        out_act='tanh',
        losses=dict(l2=dict(type='mmdet.MSELoss'))),
    train_cfg=dict(rollout_steps=1),
    test_cfg=dict(rollout_steps=2))
