# Photographs of garments in folders by class, <data_root>/{train,validation,test}/<class>/*.jpg, at 64x64:
# the public clothing-dataset-small (3,781 photographs, 10 shapes). The backgrounds are floors, beds and
# walls, so images are padded to squares by repeating their border pixels instead of with white.
dataset_type = 'FashionDataset'
data_root = 'data/clothing'
image_size = 64

load = dict(
    type='CacheTransforms',
    transforms=[
        dict(type='LoadRGBImage'),
        dict(type='FitToSquare', size=image_size, fill='edge'),
    ])
train_pipeline = [
    load,
    dict(type='RandomJitter', fill='edge'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackCreativeInputs'),
]
test_pipeline = [load, dict(type='PackCreativeInputs')]

# Images are kept in memory, so that a worker process would only cost time.
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    drop_last=True,
    dataset=dict(
        type=dataset_type, data_root=data_root, split='train', attribute='shape', pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='validation',
        attribute='shape',
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='test',
        attribute='shape',
        test_mode=True,
        pipeline=test_pipeline))
