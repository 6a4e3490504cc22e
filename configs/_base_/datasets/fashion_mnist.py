# Fashion-MNIST, its four *-ubyte.gz files in data_root, at 32x32 on white. The first half of the test images
# is for validation, the second for testing.
dataset_type = 'FashionMNISTDataset'
image_size = 32
data_root = 'data/fashion_mnist'
fit = dict(type='CacheTransforms', transforms=[dict(type='FitToSquare', size=image_size)])

train_pipeline = [
    fit,
    dict(type='RandomJitter'),
    dict(type='PackCreativeInputs'),
]
test_pipeline = [fit, dict(type='PackCreativeInputs')]

train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    drop_last=True,
    dataset=dict(type=dataset_type, data_root=data_root, split='train', pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='test',
        indices=list(range(5000)),
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
        indices=list(range(5000, 10000)),
        test_mode=True,
        pipeline=test_pipeline))
