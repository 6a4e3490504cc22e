# DINO-Foresight's segmentor, as `segmentor`: four layers of DINOv2 with registers, ViT-B/14, frozen, and the
# DPT head, 17,519,123 parameters. Needs timm: pip install 'mmforecast[vit]'.
norm_cfg = dict(type='BN', requires_grad=True)
segmentor = dict(
    _scope_='mmseg',
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        bgr_to_rgb=True,
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        size=(448, 896),
        pad_val=0,
        seg_pad_val=255),
    backbone=dict(
        type='mmforecast.TimmViT',
        name='vit_base_patch14_reg4_dinov2.lvd142m',
        layers=(2, 5, 8, 11),
        pretrained=True,
        frozen=True),
    neck=dict(type='mmforecast.DPTNeck', in_channels=768),
    decode_head=dict(
        type='FCNHead',
        in_channels=256,
        in_index=0,
        channels=256,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False),
    test_cfg=dict(mode='whole'))
