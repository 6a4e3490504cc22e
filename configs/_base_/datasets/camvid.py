# Consecutive CamVid frames (sequence 0016E5) with label maps at 15 Hz: images/ and labels/ under data_root.
# Frames are 3 apart (0.2 s), at 192x144. The first 60 % of the frames train, the rest validate.
# Labels are in Cityscapes' 19 train ids, of which CamVid has 11, so that models of the street run as they are.
_base_ = './clip_loaders.py'
dataset_type = 'CamVidSequenceDataset'
data_root = 'data/camvid'
label_space = 'cityscapes'

train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    dict(type='ClipResize', scale=(192, 144)),
    dict(type='ClipRandomFlip', prob=0.5),
    dict(type='PackForecastInputs'),
]
test_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    dict(type='ClipResize', scale=(192, 144)),
    dict(type='PackForecastInputs'),
]

train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        label_space=label_space,
        split='train',
        stride=3,
        anchor=None,
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        label_space=label_space,
        split='val',
        num_future=3,
        stride=3,
        anchor=None,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='FutureSemSegMetric')
test_evaluator = val_evaluator
