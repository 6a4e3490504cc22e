# Small S2S on the synthetic street's label maps: corrects the last map moved along its optical flow.
_base_ = [
    '../_base_/models/s2s_2scale.py', '../_base_/datasets/synthetic_street.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(_delete_=True, type='LabelMapEncoder', num_classes=19),
    predictor=dict(
        base='flow',
        widths=((32, 64, 32), (32, 32)),
        kernels=((3, 3, 3, 3), (3, 3, 3)),
        dilations=((1, 2, 4, 1), (1, 1, 1)),
        losses=dict(_delete_=True, ce=dict(type='ScoreCrossEntropyLoss', temperature=0.25))))
