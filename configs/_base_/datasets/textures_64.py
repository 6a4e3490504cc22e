# Generated textures: seven classes of the attribute texture. No files are needed: the images are generated
# once, at about 700 per second, and kept in memory.
dataset_type = 'SyntheticTextureDataset'
image_size = 64

train_pipeline = [
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackCreativeInputs'),
]
test_pipeline = [dict(type='PackCreativeInputs')]

train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    drop_last=True,
    dataset=dict(
        type=dataset_type,
        split='train',
        num_images=4200,
        size=image_size,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        split='val',
        num_images=700,
        size=image_size,
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        split='test',
        num_images=700,
        size=image_size,
        test_mode=True,
        pipeline=test_pipeline))
