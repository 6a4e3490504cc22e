# F2MF at the papers' size: 128 channels, 4,742,749 parameters.
_base_ = './segmentor_spp_r18.py'
model = dict(
    type='SegmentorFeatureForecaster',
    num_past=4,
    encoder=dict(
        type='SegmentorFeatureEncoder',
        segmentor=_base_.segmentor,
        checkpoint='work_dirs/spp_r18_cityscapes/iter_42400.pth',
        standardize=True,
        chunk=1),
    predictor=dict(type='F2MFPredictor', losses=dict(mse=dict(type='mmdet.MSELoss'))),
    train_cfg=dict(rollout_steps=1),
    test_cfg=dict(rollout_steps=3))
custom_hooks = [dict(type='FeatureStatisticsHook', num_clips=64)]
del _base_.segmentor, _base_.norm_cfg
