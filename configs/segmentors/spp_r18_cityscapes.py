# The segmentor whose features F2MF forecasts on Cityscapes: ResNet-18 of ImageNet, 768x768 crops, Adam, 200
# epochs of 2975 images in batches of 14. How theirs was trained is not known to us; this is our recipe. Not
# trained here.
#   python tools/train.py configs/segmentors/spp_r18_cityscapes.py
_base_ = [
    '../_base_/models/segmentor_spp_r18.py', '../_base_/datasets/synthetic_street_stills.py',
    '../_base_/schedules/segmentor_tiny.py', '../_base_/default_runtime_iter.py'
]
model = _base_.segmentor
model.backbone.init_cfg = dict(type='Pretrained', checkpoint='torchvision://resnet18')
data_root = 'data/cityscapes'
train_pipeline = [
    dict(type='mmseg.LoadImageFromFile'),
    dict(type='mmseg.LoadAnnotations'),
    dict(type='mmseg.RandomResize', scale=(2048, 1024), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type='mmseg.RandomCrop', crop_size=(768, 768), cat_max_ratio=0.75),
    dict(type='mmseg.RandomFlip', prob=0.5),
    dict(type='mmseg.PackSegInputs'),
]
train_dataloader = dict(
    batch_size=14,
    num_workers=4,
    dataset=dict(
        data_root=data_root,
        data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
        pipeline=train_pipeline))
val_dataloader = dict(num_workers=4, dataset=dict(data_root=data_root))
test_dataloader = val_dataloader

max_iters = 200 * 212
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=4e-4, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.25, decay_mult=0.25))))
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=1e-6, by_epoch=False, begin=0, end=max_iters)
]
train_cfg = dict(max_iters=max_iters, val_interval=10 * 212)
