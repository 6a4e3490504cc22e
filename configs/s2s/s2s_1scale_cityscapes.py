# The paper's single-scale network.
_base_ = './s2s_2scale_cityscapes.py'
model = dict(predictor=dict(widths=((128, 256, 128), ), kernels=((3, 3, 3, 3), )))
