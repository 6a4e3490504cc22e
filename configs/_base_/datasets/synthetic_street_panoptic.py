# The synthetic street with label maps and instances of every frame, and the scores of all three kinds of
# forecasts. IoU-MO is read off the label maps.
_base_ = './synthetic_street_instances.py'
train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    dict(type='LoadClipInstances'),
    dict(type='PackForecastInputs'),
]
test_pipeline = train_pipeline
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = [
    dict(type='PanopticMetric'),
    dict(type='FutureSemSegMetric', moving_ids=()),
    dict(type='CityscapesInstanceMetric', min_region_size=10, semantics='labels'),
]
test_evaluator = val_evaluator
