# Cityscapes sequences as frames, with the instances of the one annotated frame of each (20, 1-based): the
# F2F paper's setting. Frames are 3 apart (0.18 s); the last future frame is the annotated one.
_base_ = './clip_loaders.py'
dataset_type = 'CityscapesSequenceDataset'
data_root = 'data/cityscapes'
data_prefix = dict(img_path='leftImg8bit_sequence', seg_map_path='gtFine')  # instanceIds lie in gtFine too

train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipInstances'),
    dict(type='PackForecastInputs'),
]
test_pipeline = train_pipeline

train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=data_prefix,
        split='train',
        stride=3,
        anchor='annotated',
        pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=4,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=data_prefix,
        split='val',
        num_future=3,
        stride=3,
        anchor='annotated',
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='CityscapesInstanceMetric', no_ap=('own', 'constant'))
test_evaluator = val_evaluator
