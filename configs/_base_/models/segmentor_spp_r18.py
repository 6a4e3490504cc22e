# The papers' kind of segmentor, as `segmentor`: ResNet-18 at 1/32, spatial pyramid pooling to 128 channels,
# and three steps of upsampling to 1/4, without lateral connections. mmseg's progressive head stands for
# theirs: it convolves before it upsamples.
norm_cfg = dict(type='BN', requires_grad=True)
segmentor = dict(
    _scope_='mmseg',
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        bgr_to_rgb=True,
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        size=(768, 768),
        pad_val=0,
        seg_pad_val=255),
    backbone=dict(type='ResNet', depth=18, norm_cfg=norm_cfg),
    neck=dict(type='mmforecast.SpatialPyramidPooling', in_channels=512, out_channels=128),
    decode_head=dict(
        type='SETRUPHead',
        in_channels=128,
        in_index=0,
        channels=128,
        num_convs=3,
        up_scale=2,
        kernel_size=3,
        dropout_ratio=0,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False),
    test_cfg=dict(mode='whole'))
