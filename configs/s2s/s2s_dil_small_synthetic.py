# The dilated network of s2s_dil_cityscapes.py, narrow.
_base_ = './s2s_2scale_small_synthetic.py'
model = dict(
    predictor=dict(
        widths=((64, 64, 64, 40, 40, 40), ),
        kernels=((1, 3, 3, 3, 3, 3, 7), ),
        dilations=((1, 2, 2, 4, 4, 2, 1), )))
