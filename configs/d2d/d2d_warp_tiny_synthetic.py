# D2D-warp, a variant of ours: the flow baseline on distance maps with a learned velocity and a learned
# correction, on whole frames, trained through the three steps of the mid term.
_base_ = [
    '../_base_/models/d2d.py', '../_base_/datasets/synthetic_street_instances.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    predictor=dict(
        _delete_=True,
        type='WarpCorrectPredictor',
        losses=dict(
            l1=dict(type='ObjectL1Loss', object_weight=2.), gdl=dict(type='GDLoss', alpha=1))),
    decoder=dict(keep_past=True),
    train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
val_evaluator = dict(semantics='labels')
test_evaluator = val_evaluator
