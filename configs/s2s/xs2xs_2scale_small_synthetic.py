# XS2XS: RGB and scores in, both out; rolled out like S2S.
_base_ = './x2x_2scale_small_synthetic.py'
model = dict(variant='XS2XS', predictor=dict(out_act=None))
