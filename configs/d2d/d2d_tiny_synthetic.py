# D2D's network (its layers are inferred, see docs/d2d.md) on distance maps of the street's own instances; one
# step, on windows of half the height and width.
_base_ = [
    '../_base_/models/d2d.py', '../_base_/datasets/synthetic_street_instances.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(decoder=dict(keep_past=True))
train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipInstances'),
    dict(type='ClipRandomCrop', size=(64, 128)),
    dict(type='ClipRandomFlip', prob=0.5),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_evaluator = dict(semantics='labels')
test_evaluator = val_evaluator
