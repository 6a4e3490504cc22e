# The detector of the street, fine-tuned on CamVid's stills with connected components for instances. Stills
# close to the video that F2F is tried on are left out:
#   python tools/dataset_converters/camvid_instances.py data/camvid_stills \
#       --out data/camvid_stills_instances --val-fraction 0.1 --leave-out 0016E5 7650 8400
#   python tools/train.py configs/detectors/mask-rcnn_tiny_camvid.py
_base_ = './mask-rcnn_tiny_synthetic.py'
model = dict(
    init_cfg=dict(
        type='Pretrained', checkpoint='{{fileDirname}}/weights/mask-rcnn_tiny_synthetic-ed24ec5e.pth'))
data_root = 'data'
annotations = 'camvid_stills_instances/annotations/'
scale = (384, 288)  # twice the frames of configs/_base_/datasets/camvid_instances.py
train_pipeline = [
    dict(type='mmdet.LoadImageFromFile'),
    dict(type='mmdet.LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='mmdet.RandomFlip', prob=0.5),
    dict(
        type='mmdet.RandomResize',
        scale=[(384, 288), (512, 384)],
        resize_type='mmdet.Resize',
        keep_ratio=True),
    dict(type='mmdet.RandomCrop', crop_size=(288, 384)),
    dict(type='mmdet.FilterAnnotations', min_gt_bbox_wh=(4, 4)),
    dict(type='mmdet.PackDetInputs'),
]
test_pipeline = [
    dict(type='mmdet.LoadImageFromFile'),
    dict(type='mmdet.Resize', scale=scale),
    dict(type='mmdet.LoadAnnotations', with_bbox=True, with_mask=True),
    dict(
        type='mmdet.PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
train_dataloader = dict(
    batch_size=4,
    dataset=dict(
        data_root=data_root,
        data_prefix=dict(img='camvid_stills'),
        ann_file=annotations + 'instances_train.json',
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        data_prefix=dict(img='camvid_stills'),
        ann_file=annotations + 'instances_val.json',
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + '/' + annotations + 'instances_val.json')
test_evaluator = val_evaluator
max_iters = 600
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
