# S2S-warp on real driving frames (CamVid), from scratch.
_base_ = [
    '../_base_/models/s2s_2scale.py', '../_base_/datasets/camvid.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(_delete_=True, type='LabelMapEncoder', num_classes=19),
    predictor=dict(
        _delete_=True,
        type='WarpCorrectPredictor',
        losses=dict(ce=dict(type='ScoreCrossEntropyLoss', temperature=0.25))),
    train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
train_cfg = dict(max_iters=200, val_interval=200)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=200),
]
