# With depth as a second plane: Cityscapes' own disparity, in place of the paper's depth network.
_base_ = './masked-labels_cityscapes.py'
model = dict(
    encoder=dict(
        _delete_=True, type='LabelDepthEncoder', scores={{_base_.model.encoder}}),
    predictor=dict(depth_bins=256))
load_depth = dict(type='LoadClipDepth', unit='disparity')
train_pipeline = [
    dict(type='LoadClipFrames'),
    load_depth,
    dict(type='ClipRandomFlip'),
    dict(type='PackForecastInputs'),
]
test_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    load_depth,
    dict(type='PackForecastInputs'),
]
depth_prefix = dict(depth_path='disparity_sequence')
train_dataloader = dict(dataset=dict(data_prefix=depth_prefix, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_prefix=depth_prefix, pipeline=test_pipeline))
test_dataloader = val_dataloader
