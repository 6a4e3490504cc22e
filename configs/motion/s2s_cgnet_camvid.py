# Label maps of CGNet on CamVid at 480x360, moved by the forecaster of motion: against the labels, and against
# CGNet's own output. All frames test: nothing is trained on them here.
_base_ = [
    '../_base_/models/s2s_cgnet.py', '../_base_/datasets/camvid.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    dict(type='ClipResize', scale=(480, 360)),
    dict(type='PackForecastInputs'),
]
test_pipeline = [*pipeline[:-1], dict(type='ClipCameraSpeed'), pipeline[-1]]
train_dataloader = dict(
    dataset=dict(num_past=3, num_future=3, label_space='camvid', pipeline=pipeline))
val_dataloader = dict(
    dataset=dict(num_past=3, split='all', label_space='camvid', pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(by_speed=True)
test_evaluator = val_evaluator
