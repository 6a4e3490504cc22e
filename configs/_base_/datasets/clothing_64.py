# Photographs of garments in folders by class, <data_root>/{train,validation,test}/<class>/*.jpg, at 64x64:
# the public clothing-dataset-small (3,781 photographs, 10 shapes). Its own test split comes from another
# distribution than the other two, so all images are divided anew, class by class. The backgrounds are floors,
# beds and walls, so the middle square of each photograph is taken.
dataset_type = 'FashionDataset'
data_root = 'data/clothing'
image_size = 64
resplit = (0.7, 0.15, 0.15)

load = dict(
    type='CacheTransforms',
    transforms=[
        dict(type='LoadRGBImage'),
        dict(type='FitToSquare', size=image_size, fill='crop'),
    ])
train_pipeline = [
    load,
    dict(type='RandomJitter', fill='reflect'),
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
        type=dataset_type,
        data_root=data_root,
        split='train',
        resplit=resplit,
        attribute='shape',
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='val',
        resplit=resplit,
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
        resplit=resplit,
        attribute='shape',
        test_mode=True,
        pipeline=test_pipeline))
