# The masked transformer on true label maps of the synthetic street at half resolution, 64x128, in 8x16 tokens.
# Moving objects weigh more, as in the other trainings on label maps.
model = dict(
    type='S2SForecaster',
    num_past=4,
    encoder=dict(type='LabelMapEncoder', num_classes=19, stride=2),
    predictor=dict(
        type='MaskedLabelTransformer',
        size=(64, 128),
        patch_size=8,
        embed_dims=96,
        num_layers=2,
        num_heads=4,
        dropout=0.,
        class_weight=[1.] * 11 + [2.2] * 8),
    train_cfg=dict(rollout_steps=1),
    test_cfg=dict(rollout_steps=3))
