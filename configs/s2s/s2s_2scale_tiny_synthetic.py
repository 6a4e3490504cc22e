# The paper's network on the synthetic street: its losses, its 64x64 crops, a budget of minutes.
_base_ = [
    '../_base_/models/s2s_2scale.py', '../_base_/datasets/synthetic_street.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(encoder=dict(_delete_=True, type='LabelMapEncoder', num_classes=19))
train_pipeline = [
    dict(type='LoadClipSemSeg'),
    dict(type='ClipRandomCrop', size=(64, 64)),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
