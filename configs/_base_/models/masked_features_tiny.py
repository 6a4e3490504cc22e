# What the small transformers on features have in common. They start as copy-last, because they train for
# minutes.
masked_features = dict(
    type='MaskedFeatureTransformer',
    embed_dims=96,
    num_layers=2,
    num_heads=4,
    dropout=0.,
    residual=True,
    losses=dict(smooth_l1=dict(type='mmdet.SmoothL1Loss', beta=0.1)))
custom_hooks = [dict(type='FeatureStatisticsHook')]
