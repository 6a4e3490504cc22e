# KITTI's drives as plain video at 10 Hz (folders of frames under data_root), at 208x64: `residential` is for
# training (264 windows of 5 frames), `avenue` for testing (86 windows of 6). The drives are of different
# streets, so no test street is seen in training. Decoded, `residential` takes 360 MB in each
# loading process.
_base_ = './clip_loaders.py'
dataset_type = 'VideoFolderDataset'
data_root = 'data/driving_10hz'
scale = (208, 64)  # (width, height) of 1242x375, multiples of 8

train_pipeline = [
    dict(type='LoadClipFrames', cache_mb=400),
    dict(type='ClipResize', scale=scale),
    dict(type='ClipMotionCrop', size=(32, 32), min_motion=0.005),
    dict(type='PackForecastInputs'),
]
test_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipResize', scale=scale),
    dict(type='PackForecastInputs'),
]

train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        videos=['residential'],
        frame_fps=10.,
        stride=1,
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        videos=['avenue'],
        frame_fps=10.,
        num_future=2,
        stride=1,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='FramePredictionMetric')
test_evaluator = val_evaluator
