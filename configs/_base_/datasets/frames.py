# Your own videos without labels: files, or folders of frames, in any subfolder of data/frames/train; those
# under data/frames/val are for validation, scored against the output of the segmentor. A step is 3 frames,
# 0.18 s at 17 frames per second.
_base_ = './clip_loaders.py'
dataset_type = 'VideoFolderDataset'
data_root = 'data/frames'
scale = (512, 256)  # (width, height)

pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipResize', scale=scale),
    dict(type='PackForecastInputs'),
]

train_dataloader = dict(
    batch_size=2,
    dataset=dict(
        type=dataset_type,
        data_root=data_root + '/train',
        num_future=3,
        stride=3,
        pipeline=pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root + '/val',
        num_future=3,
        stride=3,
        pipeline=pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='FutureSemSegMetric', iou_kinds='SEG')
test_evaluator = val_evaluator
