# S2S-warp, a variant of ours: the flow baseline with a learned velocity and a learned correction, trained
# through the three steps of the mid term. Moving objects weigh more: IoU-MO averages over classes, and the
# best decision for an IoU of about 0.45 is to name a class from a probability of about 0.3 on.
_base_ = [
    '../_base_/models/s2s_2scale.py', '../_base_/datasets/synthetic_street.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(_delete_=True, type='LabelMapEncoder', num_classes=19),
    predictor=dict(
        _delete_=True,
        type='WarpCorrectPredictor',
        losses=dict(
            ce=dict(
                type='ScoreCrossEntropyLoss',
                temperature=0.25,
                class_weight=[1.] * 11 + [2.2] * 8))),
    train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
