# A ConvLSTM on true label maps, in patches of 4x4 pixels, that starts from the maps that the camera's motion
# has moved on. Moving objects weigh more, as in S2S-warp.
_base_ = [
    '../_base_/models/s2s_2scale.py', '../_base_/datasets/synthetic_street.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(_delete_=True, type='LabelMapEncoder', num_classes=19),
    predictor=dict(
        _delete_=True,
        type='PyramidConvLSTM',
        patch_size=4,
        hidden=32,
        num_cells=1,
        motion=dict(type='EgoMotion'),
        losses=dict(
            ce=dict(
                type='ScoreCrossEntropyLoss',
                temperature=0.25,
                class_weight=[1.] * 11 + [2.2] * 8))),
    train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
