# Your own collection of product photographs on white, as a list with labels, <data_root>/images.csv;
# docs/data.md describes it. At 256x256, with masks where the list has them (see LoadGarmentMask there).
dataset_type = 'FashionDataset'
data_root = 'data/rtw'
ann_file = 'images.csv'
image_size = 256

load = dict(
    type='CacheTransforms',
    transforms=[
        dict(type='LoadRGBImage'),
        dict(type='FitToSquare', size=image_size),
    ])
train_pipeline = [
    load,
    dict(type='RandomJitter'),
    dict(type='PackCreativeInputs'),
]
test_pipeline = [load, dict(type='PackCreativeInputs')]

# 4,000 images of 256x256 take 790 MB; each worker process keeps its own.
train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    drop_last=True,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='train',
        ann_file=ann_file,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='val',
        ann_file=ann_file,
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='test',
        ann_file=ann_file,
        test_mode=True,
        pipeline=test_pipeline))
