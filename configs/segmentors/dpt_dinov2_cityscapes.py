# DINO-Foresight's head on DINOv2, which stays frozen: 448x896, AdamW, 1.6e-3 for batches of 128, 100 epochs of
# 2975 images. The authors train it on features that went through the projection and back; here it sees them as
# they are. Not trained here.
#   python tools/train.py configs/segmentors/dpt_dinov2_cityscapes.py
_base_ = [
    '../_base_/models/segmentor_dinov2.py', '../_base_/datasets/synthetic_street_stills.py',
    '../_base_/schedules/segmentor_tiny.py', '../_base_/default_runtime_iter.py'
]
model = _base_.segmentor
data_root = 'data/cityscapes'
train_pipeline = [
    dict(type='mmseg.LoadImageFromFile'),
    dict(type='mmseg.LoadAnnotations'),
    dict(type='mmseg.Resize', scale=(896, 448), keep_ratio=False),
    dict(type='mmseg.RandomFlip', prob=0.5),
    dict(type='mmseg.PackSegInputs'),
]
test_pipeline = [
    dict(type='mmseg.LoadImageFromFile'),
    dict(type='mmseg.Resize', scale=(896, 448), keep_ratio=False),
    dict(type='mmseg.LoadAnnotations'),
    dict(type='mmseg.PackSegInputs'),
]
train_dataloader = dict(
    batch_size=128,
    num_workers=4,
    dataset=dict(
        data_root=data_root,
        data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
        pipeline=train_pipeline))
val_dataloader = dict(num_workers=4, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

max_iters = 100 * 23
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1.6e-3, weight_decay=1e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=10 * 23),
    dict(type='PolyLR', eta_min=0, power=1, by_epoch=False, begin=10 * 23, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=10 * 23)
find_unused_parameters = True  # the coarsest fusion has a unit without use, as in the authors' code
