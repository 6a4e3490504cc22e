# ResNet-18 of a quarter of its width, for images of 64x64: 0.7 M parameters, 128 pooled features.
model = dict(
    type='AttributeClassifier',
    backbone=dict(
        type='mmdet.ResNet',
        depth=18,
        base_channels=16,
        stem_channels=16,
        out_indices=(3, ),
        norm_eval=False),
    in_channels=128,
    input_size=64)
