# UCF101, fold 1. Training: random 32x32 patches with motion; a class is drawn at random, then a video of it.
# Test: every 200th window of the test videos, whole frames of 320x240. data_root holds UCF-101/ and
# ucfTrainTestlist/.
_base_ = './clip_loaders.py'
dataset_type = 'UCF101Dataset'
data_root = 'data/ucf101'

train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipMotionCrop', size=(32, 32), min_motion=0.005),
    dict(type='PackForecastInputs'),
]
test_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='PackForecastInputs'),
]

train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='train',
        fold=1,
        sampling='class',
        pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=4,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='test',
        fold=1,
        num_future=2,
        clip_step=200,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='FramePredictionMetric')
test_evaluator = val_evaluator
