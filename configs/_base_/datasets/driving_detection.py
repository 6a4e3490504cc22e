# Driving video for detectors, at twice the size: there, YOLOX-nano finds about twice as many objects.
_base_ = './driving.py'
scale = (1280, 384)  # (width, height)
pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipResize', scale=scale),
    dict(type='PackForecastInputs'),
]
test_pipeline = [*pipeline[:-1], dict(type='ClipCameraSpeed'), pipeline[-1]]
train_dataloader = dict(dataset=dict(pipeline=pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(_delete_=True, type='DetectionAgreementMetric', by_speed=True)
test_evaluator = val_evaluator
