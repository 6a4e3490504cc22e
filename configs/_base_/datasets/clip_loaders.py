# The loaders of all datasets of clips: four past frames, and one future frame in training. A dataset adds
# its type, its files, its pipelines and the number of frames to forecast.
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(num_past=4, num_future=1))
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(num_past=4, test_mode=True))
test_dataloader = val_dataloader
