# A single scale.
_base_ = './s2s_2scale_small_synthetic.py'
model = dict(predictor=dict(widths=((40, 80, 40), ), kernels=((3, 3, 3, 3), )))
