# The segmentor of segmentor_spp_r18.py for the synthetic street, as `segmentor`: a quarter of its width and 16
# channels at the cut, which is at 1/8, since 1/32 of 128x256 would be 4x8 cells.
_base_ = './segmentor_spp_r18.py'
segmentor = dict(
    data_preprocessor=dict(size=(128, 256)),
    backbone=dict(
        stem_channels=16, base_channels=16, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 2)),
    neck=dict(in_channels=128, out_channels=16),
    decode_head=dict(in_channels=16, channels=32, num_convs=2))
