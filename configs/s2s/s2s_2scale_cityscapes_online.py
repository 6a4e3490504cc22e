# S2S on the output of a frozen mmseg segmentor, which runs on every frame during training instead of score
# files. Any mmseg EncoderDecoder can take its place. tools/extract_representations.py writes the score files
# of s2s_2scale_cityscapes.py with this encoder.
_base_ = ['../_base_/models/segmentor_pspnet_r50.py', './s2s_2scale_cityscapes.py']
model = dict(
    encoder=dict(
        _delete_=True,
        type='SegmentorEncoder',
        segmentor=_base_.segmentor,
        # of mmseg's model zoo, downloaded once
        checkpoint='zoo://pspnet_r50-d8_4xb2-80k_cityscapes-512x1024',
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
