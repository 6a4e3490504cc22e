# S2S on your own frames, without labels: it learns to forecast the output of a segmentor. Here these are the
# eight moving classes of the shipped detector, which was trained on the synthetic street; for another
# segmentor, set `encoder.encoder`, and its classes in `metainfo`.
_base_ = [
    '../_base_/models/s2s-maps_tiny.py', '../_base_/datasets/frames.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(
        type='CachedEncoder',  # each frame is in many clips
        encoder=dict(stride=4, **_base_.maps_encoder)))
metainfo = dict(
    classes=('background', 'person', 'rider', 'car', 'truck', 'bus', 'train', 'motorcycle', 'bicycle'),
    palette=[[70, 70, 70], [220, 20, 60], [255, 0, 0], [0, 0, 142], [0, 0, 70], [0, 60, 100],
             [0, 80, 100], [0, 0, 230], [119, 11, 32]],
    moving_ids=list(range(1, 9)))
train_dataloader = dict(dataset=dict(metainfo=metainfo))
val_dataloader = dict(dataset=dict(metainfo=metainfo))
test_dataloader = val_dataloader
max_iters = 200
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
