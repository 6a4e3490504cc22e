# XS2XS: RGB and scores in, both out; rolled out like S2S.
_base_ = './s2s_2scale_cityscapes_online.py'
model = dict(variant='XS2XS')
