# CamVid with stand-ins for instances: connected components of the label maps, where touching objects are
# one. Written by
#   python tools/dataset_converters/camvid_instances.py data/camvid --out data/camvid_instances
_base_ = './camvid.py'
instance_root = 'data/camvid_instances'

train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipInstances'),
    dict(type='ClipResize', scale=(192, 144)),
    dict(type='ClipRandomFlip', prob=0.5),
    dict(type='PackForecastInputs'),
]
test_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipInstances'),
    dict(type='ClipResize', scale=(192, 144)),
    dict(type='PackForecastInputs'),
]

train_dataloader = dict(dataset=dict(instance_root=instance_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(instance_root=instance_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

# Components of fewer than 40 pixels at 480x360 are groups; they would have 6 at 192x144.
val_evaluator = dict(type='CityscapesInstanceMetric', min_region_size=6)
test_evaluator = val_evaluator
