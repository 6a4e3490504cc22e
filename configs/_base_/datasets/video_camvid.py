# CamVid's consecutive frames (sequence 0016E5, 15 Hz, images/ under data_root) as plain video, at 160x120.
# The first 60 % of the frames are for training, the rest for testing: 21 windows of 6 frames. Decoded, they
# take 32 MB in each loading process.
_base_ = './clip_loaders.py'
dataset_type = 'CamVidSequenceDataset'
data_root = 'data/camvid'
scale = (160, 120)  # (width, height), multiples of 8

train_pipeline = [
    dict(type='LoadClipFrames', cache_mb=64),
    dict(type='ClipResize', scale=scale),
    dict(type='ClipMotionCrop', size=(32, 32), min_motion=0.005),
    dict(type='PackForecastInputs'),
]
test_pipeline = [
    dict(type='LoadClipFrames', cache_mb=64),
    dict(type='ClipResize', scale=scale),
    dict(type='PackForecastInputs'),
]

train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='train',
        stride=1,
        anchor=None,
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='val',
        num_future=2,
        stride=1,
        anchor=None,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='FramePredictionMetric')
test_evaluator = val_evaluator
