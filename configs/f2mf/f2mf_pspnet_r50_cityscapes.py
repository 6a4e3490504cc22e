# F2MF over a segmentor of mmseg's zoo, whose weights are downloaded once: PSPNet R50-d8, cut behind its
# pyramid pooling, 512 channels at 1/8. Training sees windows of 32x64 cells.
_base_ = ['../_base_/models/segmentor_pspnet_r50.py', './f2mf_cityscapes.py']
model = dict(
    encoder=dict(
        segmentor=dict(_delete_=True, **_base_.segmentor),
        cut='decode_head.bottleneck',
        checkpoint='zoo://pspnet_r50-d8_4xb2-80k_cityscapes-512x1024'))
train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipRandomCrop', size=(256, 512)),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
