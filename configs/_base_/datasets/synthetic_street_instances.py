# The synthetic street with its instances, which are beside the label maps in gtFine_sequence, for every
# frame.
_base_ = './synthetic_street.py'

train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipInstances'),
    dict(type='PackForecastInputs'),
]
test_pipeline = train_pipeline

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

# The official 100 pixels would be 1.6 at 128x256, finer than the detector sees: 10 are two to three cells of
# its finest level. A sixth of the instances are smaller.
val_evaluator = dict(
    type='CityscapesInstanceMetric', min_region_size=10, no_ap=('own', 'constant'))
test_evaluator = val_evaluator
