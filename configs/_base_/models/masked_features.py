# DINO-Foresight at the released size: 257,744,640 parameters on 16x32 tokens of 1152 components of 3072
# channels.
_base_ = './segmentor_dinov2.py'
model = dict(
    type='SegmentorFeatureForecaster',
    num_past=4,
    encoder=dict(
        type='ViTFeatureEncoder',
        segmentor=_base_.segmentor,
        checkpoint='work_dirs/dpt_dinov2_cityscapes/iter_2300.pth',
        size=(224, 448),
        num_components=1152,
        chunk=4),
    predictor=dict(
        type='MaskedFeatureTransformer',
        size=(16, 32),
        losses=dict(smooth_l1=dict(type='mmdet.SmoothL1Loss', beta=0.1))),
    train_cfg=dict(rollout_steps=1),
    test_cfg=dict(rollout_steps=3))
custom_hooks = [dict(type='FeatureStatisticsHook', num_clips=256)]
del _base_.segmentor, _base_.norm_cfg
