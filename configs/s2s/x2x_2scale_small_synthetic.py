# X2X: RGB in, RGB out; the street's segmentor segments the predicted frame. Its encoder writes the scores that
# the other small configs read.
_base_ = [
    '../_base_/models/unet_tiny.py', '../_base_/models/s2s_small.py',
    '../_base_/datasets/synthetic_street.py', '../_base_/schedules/tiny.py',
    '../_base_/default_runtime_iter.py'
]
model = dict(
    variant='X2X',
    encoder=dict(
        _delete_=True,
        type='SegmentorEncoder',
        segmentor=_base_.segmentor,
        checkpoint='{{fileDirname}}/../segmentors/weights/unet_tiny_synthetic-1611a7cd.pth'),
    predictor=dict(out_act='tanh'))
train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipRandomCrop', size=(128, 128)),  # 64x64 scores
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(dataset=dict(clip_step=3, pipeline=train_pipeline))
del _base_.segmentor, _base_.norm_cfg
