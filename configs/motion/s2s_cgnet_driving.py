# Label maps of CGNet on driving video, moved by the forecaster of motion: nothing is trained on the video.
_base_ = [
    '../_base_/models/s2s_cgnet.py', '../_base_/datasets/driving.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
metainfo = dict(
    classes=('sky', 'building', 'pole', 'road', 'pavement', 'tree', 'sign', 'fence', 'car', 'pedestrian',
             'bicyclist'),
    palette=[[128, 128, 128], [128, 0, 0], [192, 192, 128], [128, 64, 128], [60, 40, 222],
             [128, 128, 0], [192, 128, 128], [64, 64, 128], [64, 0, 128], [64, 64, 0], [0, 128, 192]],
    moving_ids=[8, 9, 10])
train_dataloader = dict(dataset=dict(num_past=3, metainfo=metainfo))
val_dataloader = dict(dataset=dict(num_past=3, metainfo=metainfo))
test_dataloader = val_dataloader
