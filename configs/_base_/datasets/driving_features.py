# Driving video with YOLOX-nano's features from disk, which no run computes again. They are written, a store of
# each folder (residential 0.35 GB, highway 0.30 GB, avenue 0.12 GB), by
#   python tools/extract_representations.py configs/motion/f2f_net_yolox-nano_driving.py none \
#       --out data/driving_10hz/features --splits residential highway avenue
# highway is a video of 25 Hz and of another size: a batch holds clips of one size only, and so a single clip.
_base_ = './driving_detection.py'
data_root = 'data/driving_10hz'
feature_root = 'data/driving_10hz/features'

clips = dict(type='VideoFolderDataset', data_root=data_root, num_past=4, num_future=3)
of_10_hz = dict(frame_fps=10., stride=2, **clips)
load = dict(type='LoadClipFrames')
resize = dict(type='ClipResize', scale=(1280, 384))
features = dict(type='LoadClipFeatures')
pack = dict(type='PackForecastInputs')

residential = dict(
    videos=['residential'],
    pipeline=[load, resize, dict(store=feature_root + '/residential', **features), pack],
    **of_10_hz)
highway = dict(
    videos=['highway/highway_25hz.mp4'],
    stride=5,
    pipeline=[
        load,
        dict(type='ClipResize', scale=(960, 544)),
        dict(store=feature_root + '/highway', **features), pack
    ],
    **clips)
avenue = dict(
    videos=['avenue'],
    test_mode=True,
    pipeline=[
        load, resize,
        dict(type='ClipCameraSpeed'),
        dict(store=feature_root + '/avenue', **features), pack
    ],
    **of_10_hz)
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
