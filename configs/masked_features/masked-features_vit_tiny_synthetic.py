# DINO-Foresight on a small vision transformer: 64 components of the 192 channels of its four layers, 16x32
# tokens.
#   python tools/train.py configs/segmentors/vit_tiny_synthetic.py
_base_ = [
    '../_base_/models/masked_features_tiny.py', '../_base_/models/segmentor_vit_tiny.py',
    '../_base_/datasets/synthetic_street.py', '../_base_/schedules/tiny.py',
    '../_base_/default_runtime_iter.py'
]
model = dict(
    type='SegmentorFeatureForecaster',
    num_past=4,
    encoder=dict(
        type='ViTFeatureEncoder',
        segmentor=_base_.segmentor,
        checkpoint='work_dirs/vit_tiny_synthetic/iter_2000.pth',
        size=(128, 256),
        num_components=64),
    predictor=dict(size=(16, 32), **_base_.masked_features),
    train_cfg=dict(rollout_steps=1),
    test_cfg=dict(rollout_steps=3))
del _base_.masked_features, _base_.segmentor, _base_.norm_cfg
