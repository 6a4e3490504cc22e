# Three real clips at 160x120, the split "three clips": demo.mp4 (arm wrestling, hand-held), part_0.mp4 (a
# pool) and test.avi (a face, close up) under data_root. The first 60 % of each are for training (116, 19 and
# 47 frames), the rest for testing: 107 windows of 6 frames. Repeated frames (one in seven of demo.mp4, one
# in two of test.avi) are left out, since forecasting them is trivial, and so is demo.mp4 from frame 229 on,
# where the recording is broken.
_base_ = './clip_loaders.py'
dataset_type = 'VideoFolderDataset'
data_root = 'data/videos'
videos = ['demo.mp4 0:229', 'part_0.mp4', 'test.avi']
drop_repeats = 2e-4
scale = (160, 120)  # (width, height), multiples of 8

# Decoded, the three clips take 108 MB, and in each process that loads they are decoded once.
train_pipeline = [
    dict(type='LoadClipFrames', cache_mb=128),
    dict(type='ClipResize', scale=scale),
    dict(type='ClipMotionCrop', size=(32, 32), min_motion=0.005),
    dict(type='PackForecastInputs'),
]
test_pipeline = [
    dict(type='LoadClipFrames', cache_mb=128),
    dict(type='ClipResize', scale=scale),
    dict(type='PackForecastInputs'),
]

train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        videos=videos,
        drop_repeats=drop_repeats,
        split='train',
        stride=1,
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        videos=videos,
        drop_repeats=drop_repeats,
        split='val',
        num_future=2,
        stride=1,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='FramePredictionMetric')
test_evaluator = val_evaluator
