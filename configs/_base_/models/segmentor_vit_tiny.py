# A small vision transformer with the head of DINO-Foresight, as `segmentor`: four blocks of 48 channels on
# 16x32 patches of 8x8 pixels, all of which the head fuses.
norm_cfg = dict(type='BN', requires_grad=True)
segmentor = dict(
    _scope_='mmseg',
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        bgr_to_rgb=True,
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        size=(128, 256),
        pad_val=0,
        seg_pad_val=255),
    backbone=dict(
        type='VisionTransformer',
        img_size=(128, 256),
        patch_size=8,
        embed_dims=48,
        num_layers=4,
        num_heads=3,
        out_indices=(0, 1, 2, 3),
        final_norm=True),
    neck=dict(
        type='mmforecast.DPTNeck', in_channels=48, channels=16, widths=(8, 12, 16, 16)),
    decode_head=dict(
        type='FCNHead',
        in_channels=16,
        in_index=0,
        channels=16,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False),
    test_cfg=dict(mode='whole'))
