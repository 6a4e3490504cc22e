# With true depth as a second plane, which the street is written with:
#   python tools/dataset_converters/synthetic_cityscapes.py --out data/synthetic_street --depth
_base_ = './masked-labels_tiny_synthetic.py'
model = dict(
    encoder=dict(
        _delete_=True,
        type='LabelDepthEncoder',
        scores=dict(type='LabelMapEncoder', num_classes=19, stride=2)),
    predictor=dict(depth_bins=256))
train_pipeline = [
    dict(type='LoadClipSemSeg'),
    dict(type='LoadClipDepth'),
    dict(type='ClipRandomFlip'),
    dict(type='PackForecastInputs'),
]
test_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    dict(type='LoadClipDepth'),
    dict(type='PackForecastInputs'),
]
depth_prefix = dict(depth_path='depth_sequence')
train_dataloader = dict(dataset=dict(data_prefix=depth_prefix, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_prefix=depth_prefix, pipeline=test_pipeline))
test_dataloader = val_dataloader
