# The same network on the label maps of the small segmentor, so that it forecasts any video.
_base_ = ['../_base_/models/unet_tiny.py', './masked-labels_tiny_synthetic.py']
model = dict(
    encoder=dict(
        _delete_=True,
        type='SegmentorEncoder',
        segmentor=_base_.segmentor,
        size=(64, 128),  # of the label maps, whatever the size of the video
        checkpoint='{{fileDirname}}/../segmentors/weights/unet_tiny_synthetic-1611a7cd.pth'))
train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipRandomFlip'),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
del _base_.segmentor, _base_.norm_cfg
