# D2D's network on distance maps of all 19 classes, which hold the label map too, so that one forecast gives
# label maps and instances. It begins with the true ones, as panoptic_labels_tiny_synthetic.py does.
_base_ = [
    '../_base_/models/d2d.py', '../_base_/datasets/synthetic_street_panoptic.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(num_classes=19),
    # for the baselines that move the objects and write no label map
    panoptic=dict(
        type='PanopticDecoder', stuff_area=0, semantics=dict(type='SemSegDecoder')))
train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    dict(type='LoadClipInstances'),
    dict(type='ClipRandomCrop', size=(64, 128)),
    dict(type='ClipRandomFlip', prob=0.5),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
