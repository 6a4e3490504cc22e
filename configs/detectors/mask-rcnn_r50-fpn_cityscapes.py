# A detector for F2F in the place of that of mmdet's model zoo, trained by mmdet's own parts on the annotated
# frames of Cityscapes: shorter side 800 to 1024, batch 8, 24k iterations at 0.01, a tenth of it from 18k on.
# The paper's schedule was not published; this one is detectron2's, by mmdet's classes
# (configs/Cityscapes/mask_rcnn_R_50_FPN.yaml).
#   python tools/dataset_converters/cityscapes_to_coco.py data/cityscapes --splits train val
#   python tools/train.py configs/detectors/mask-rcnn_r50-fpn_cityscapes.py
#   python tools/train.py configs/f2f/f2f5_cityscapes.py \
#     --cfg-options model.encoder.checkpoint=work_dirs/mask-rcnn_r50-fpn_cityscapes/iter_24000.pth
_base_ = [
    '../_base_/models/mask-rcnn_r50_cityscapes.py', '../_base_/default_runtime_iter.py'
]
model = _base_.detector
# Weights of COCO, of mmdet's model zoo, downloaded once. The output layers, of 80 classes, are not taken over.
load_from = 'zoo://mask-rcnn_r50_fpn_1x_coco'
data_root = 'data/cityscapes'
train_pipeline = [
    dict(type='mmdet.LoadImageFromFile'),
    dict(type='mmdet.LoadAnnotations', with_bbox=True, with_mask=True),
    dict(
        type='mmdet.RandomChoiceResize',
        scales=[(2048, side) for side in range(800, 1025, 32)],
        resize_type='mmdet.Resize',  # mmcv's would leave the masks as they are
        keep_ratio=True),
    dict(type='mmdet.RandomFlip', prob=0.5),
    dict(type='mmdet.PackDetInputs'),
]
test_pipeline = [
    dict(type='mmdet.LoadImageFromFile'),
    dict(type='mmdet.Resize', scale=(2048, 1024), keep_ratio=True),
    dict(type='mmdet.LoadAnnotations', with_bbox=True, with_mask=True),
    dict(
        type='mmdet.PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
train_dataloader = dict(
    batch_size=8,  # over all GPUs: divide it by their number
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='mmdet.CityscapesDataset',
        data_root=data_root,
        ann_file='annotations/instances_train.json',
        data_prefix=dict(img=''),
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmdet.CityscapesDataset',
        data_root=data_root,
        ann_file='annotations/instances_val.json',
        data_prefix=dict(img=''),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(
    type='mmdet.CocoMetric', ann_file=data_root + '/annotations/instances_val.json', metric=['segm'])
test_evaluator = val_evaluator

max_iters = 24000
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', by_epoch=False, milestones=[18000], gamma=0.1),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=3000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=8)
