# X2X: RGB in, RGB out; the segmentor then segments the predicted frame.
_base_ = './s2s_2scale_cityscapes_online.py'
model = dict(variant='X2X', predictor=dict(out_act='tanh'))
