# Ego-motion with a learned correction, a variant of ours; otherwise as S2S-warp.
_base_ = './s2s_warp_tiny_synthetic.py'
model = dict(
    predictor=dict(
        _delete_=True,
        type='CorrectedMotion',
        motion=dict(type='EgoMotion'),
        widths=(48, 48),
        stride=2,
        losses=_base_.model.predictor.losses))
max_iters = 300
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
