# S2S over a frozen mmseg segmentor that runs while training: no score files, but its forward pass on every
# frame. Any mmseg EncoderDecoder can take its place. Its encoder is also what
# tools/extract_representations.py runs to write the score files of s2s_2scale_cityscapes.py.
_base_ = ['../_base_/models/segmentor_pspnet_r50.py', './s2s_2scale_cityscapes.py']
model = dict(
    encoder=dict(
        _delete_=True,
        type='SegmentorEncoder',
        segmentor=_base_.segmentor,
        checkpoint='checkpoints/pspnet_r50-d8_cityscapes.pth',
        stride=8,
        chunk=1))
train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipRandomCrop', size=(512, 512)),  # 64x64 scores
    dict(type='PackForecastInputs'),
]
test_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(
    num_workers=4, persistent_workers=True, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
