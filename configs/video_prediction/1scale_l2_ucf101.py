# A single scale with the l2 loss: the paper's finest network alone.
_base_ = './multiscale_l2_ucf101.py'
model = dict(predictor=dict(widths=((128, 256, 512, 256, 128), ), kernels=((7, 5, 5, 5, 5, 7), )))
