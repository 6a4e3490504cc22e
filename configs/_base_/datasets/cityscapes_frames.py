# Cityscapes sequences as frames with the label map of the one annotated frame of each (20, 1-based). Frames
# are 3 apart (0.18 s); the last future frame is the annotated one.
_base_ = './cityscapes_instances.py'
train_pipeline = [dict(type='LoadClipFrames'), dict(type='PackForecastInputs')]
test_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='FutureSemSegMetric')
test_evaluator = val_evaluator
