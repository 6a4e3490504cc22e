# The narrow dilated network on true label maps at half resolution: scores of a perfect segmentor, for which
# the baselines are those of the other tables of label maps. Cross-entropy, one step.
_base_ = [
    '../_base_/models/s2s_2scale.py', '../_base_/datasets/synthetic_street.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(_delete_=True, type='LabelMapEncoder', num_classes=19, stride=2),
    predictor=dict(
        widths=((64, 64, 64, 40, 40, 40), ),
        kernels=((1, 3, 3, 3, 3, 3, 7), ),
        dilations=((1, 2, 2, 4, 4, 2, 1), ),
        losses=dict(
            _delete_=True,
            ce=dict(
                type='ScoreCrossEntropyLoss',
                temperature=0.25,
                class_weight=[1.] * 11 + [2.2] * 8))))
train_pipeline = [
    dict(type='LoadClipSemSeg'),
    dict(type='ClipRandomCrop', size=(128, 128)),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
