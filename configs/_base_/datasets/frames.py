# One's own videos, without labels: files, or folders of frames, anywhere under data/frames. The first 80 % of
# each train, the rest is the test. A step is 3 frames, 0.18 s at 17 per second.
dataset_type = 'VideoFolderDataset'
data_root = 'data/frames'
scale = (512, 256)  # (width, height)

pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipResize', scale=scale),
    dict(type='PackForecastInputs'),
]

train_dataloader = dict(
    batch_size=2,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='train',
        val_fraction=0.2,
        num_past=4,
        num_future=3,
        stride=3,
        pipeline=pipeline))
val_dataloader = test_dataloader = None  # there are no labels to score forecasts by
