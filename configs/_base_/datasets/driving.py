# Driving video without labels: folders of frames, in the order of their names, and video files in data_root.
# A step is 2 frames of 10 Hz, 0.2 s. A sequence of KITTI's raw data is such a folder (image_02/data).
# Scored by agreement with the network's own output on the true future frames.
_base_ = './clip_loaders.py'
dataset_type = 'VideoFolderDataset'
data_root = 'data/driving_10hz'
scale = (640, 192)  # (width, height) of 1242x375

pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipResize', scale=scale),
    dict(type='PackForecastInputs'),
]
test_pipeline = [*pipeline[:-1], dict(type='ClipCameraSpeed'), pipeline[-1]]

train_dataloader = dict(
    batch_size=2,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        videos=['residential'],
        frame_fps=10.,
        num_future=3,
        stride=2,
        pipeline=pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        videos=['avenue'],
        frame_fps=10.,
        num_future=3,
        stride=2,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='FutureSemSegMetric', iou_kinds='SEG', by_speed=True)
test_evaluator = val_evaluator
