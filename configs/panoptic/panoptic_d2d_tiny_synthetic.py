# A narrow D2D network at half resolution, started as copy-last, on distance maps of all 19 classes. They hold
# the label map too, so that one forecast gives label maps and instances. It begins with true ones, as
# panoptic_labels_tiny_synthetic.py does. One step, on windows of half the height and width.
_base_ = [
    '../_base_/models/d2d.py', '../_base_/datasets/synthetic_street_panoptic.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(num_classes=19, stride=2),
    predictor=dict(
        widths=(64, 64, 64, 64, 64),
        dilations=(1, 2, 4, 4, 2, 1),
        init='copy',
        init_bound=1.,
        losses=dict(
            _delete_=True,
            l1=dict(type='ObjectL1Loss'),
            ce=dict(
                type='ScoreCrossEntropyLoss',
                temperature=0.25,
                class_weight=[1.] * 11 + [2.2] * 8))),
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
max_iters = 1500
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
