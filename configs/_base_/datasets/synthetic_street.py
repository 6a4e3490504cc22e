# The synthetic street at 128x256, written in Cityscapes' layout by
#   python tools/dataset_converters/synthetic_cityscapes.py --out data/synthetic_street
# Every frame is labeled. Frames are 3 apart (0.18 s); the last future frame is the annotated one.
_base_ = './clip_loaders.py'
dataset_type = 'CityscapesSequenceDataset'
data_root = 'data/synthetic_street'
data_prefix = dict(img_path='leftImg8bit_sequence', seg_map_path='gtFine_sequence')

train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    dict(type='PackForecastInputs'),
]
test_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    dict(type='PackForecastInputs'),
]

train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=data_prefix,
        split='train',
        stride=3,
        anchor=None,  # all windows of a sequence, not only the one that ends at the annotated frame
        pipeline=train_pipeline))
val_dataloader = dict(
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

val_evaluator = dict(type='FutureSemSegMetric')
test_evaluator = val_evaluator
