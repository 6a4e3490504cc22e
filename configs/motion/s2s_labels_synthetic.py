# The label maps of the synthetic street, moved by the forecaster of motion: nothing is trained on them.
_base_ = [
    '../_base_/models/motion.py', '../_base_/datasets/synthetic_street.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    type='S2SForecaster',
    num_past=4,
    encoder=dict(type='LabelMapEncoder', num_classes=19),
    predictor=_base_.motion,
    test_cfg=dict(rollout_steps=3))
