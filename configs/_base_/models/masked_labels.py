# FUTURIST's transformer on the label maps of a segmentor at 256x512, at the size of the released model:
# 461,232,337 parameters for 19 classes and 4 past maps.
_base_ = './segmentor_pspnet_r50.py'
model = dict(
    type='S2SForecaster',
    num_past=4,
    encoder=dict(
        type='SegmentorEncoder',
        segmentor=_base_.segmentor,
        checkpoint='zoo://pspnet_r50-d8_4xb2-80k_cityscapes-512x1024',
        size=(256, 512),
        chunk=1),
    predictor=dict(type='MaskedLabelTransformer', size=(256, 512)),
    train_cfg=dict(rollout_steps=1),
    test_cfg=dict(rollout_steps=3))
del _base_.segmentor
