# F2MF on the 16 channels of the small segmentor of the synthetic street: 98,023 parameters. It starts near
# copy-last, because it trains for minutes.
_base_ = './segmentor_spp_tiny.py'
model = dict(
    type='SegmentorFeatureForecaster',
    num_past=4,
    encoder=dict(
        type='SegmentorFeatureEncoder',
        segmentor=_base_.segmentor,
        checkpoint='work_dirs/spp_tiny_synthetic/iter_2000.pth',
        standardize=True),
    predictor=dict(
        type='F2MFPredictor',
        radius=2,
        embedding=16,
        shared_widths=(32, 32, 32),
        init='copy',
        losses=dict(mse=dict(type='mmdet.MSELoss'))),
    train_cfg=dict(rollout_steps=1),
    test_cfg=dict(rollout_steps=3))
custom_hooks = [dict(type='FeatureStatisticsHook')]
del _base_.segmentor, _base_.norm_cfg
