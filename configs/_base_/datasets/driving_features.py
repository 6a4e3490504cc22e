# Driving video with YOLOX-nano's features from disk, which no run computes again. They are written, a store of
# each folder (residential 0.35 GB, highway 0.30 GB, avenue 0.12 GB), by
#   python tools/extract_representations.py configs/motion/f2f_net_yolox-nano_driving.py none \
#       --out data/driving_10hz/features --splits residential highway avenue
# highway is a video of 25 Hz and of another size: a batch holds clips of one size only, and so a single clip.
_base_ = './driving_detection.py'
data_root = 'data/driving_10hz'
feature_root = 'data/driving_10hz/features'

residential = dict(
    type='VideoFolderDataset',
    data_root=data_root,
    videos=['residential'],
    frame_fps=10.,
    num_past=4,
    num_future=3,
    stride=2,
    pipeline=[
        dict(type='LoadClipFrames'),
        dict(type='ClipResize', scale=(1280, 384)),
        dict(type='LoadClipFeatures', store=feature_root + '/residential'),
        dict(type='PackForecastInputs'),
    ])
highway = dict(
    type='VideoFolderDataset',
    data_root=data_root,
    videos=['highway/highway_25hz.mp4'],
    num_past=4,
    num_future=3,
    stride=5,
    pipeline=[
        dict(type='LoadClipFrames'),
        dict(type='ClipResize', scale=(960, 544)),
        dict(type='LoadClipFeatures', store=feature_root + '/highway'),
        dict(type='PackForecastInputs'),
    ])
avenue = dict(
    type='VideoFolderDataset',
    data_root=data_root,
    videos=['avenue'],
    frame_fps=10.,
    num_past=4,
    num_future=3,
    stride=2,
    test_mode=True,
    pipeline=[
        dict(type='LoadClipFrames'),
        dict(type='ClipResize', scale=(1280, 384)),
        dict(type='ClipCameraSpeed'),
        dict(type='LoadClipFeatures', store=feature_root + '/avenue'),
        dict(type='PackForecastInputs'),
    ])
# of the tool that extracts features
residential_dataloader = dict(dataset=residential)
highway_dataloader = dict(dataset=highway)
avenue_dataloader = dict(dataset=avenue)

train_dataloader = dict(
    batch_size=1,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[residential, highway],
        ignore_keys=['fps']))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(_delete_=True, **avenue))
test_dataloader = val_dataloader
