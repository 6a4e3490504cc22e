# Autoregressive fine-tuning of the dilated network.
_base_ = './s2s_2scale_ar-ft_cityscapes.py'
model = dict(
    predictor=dict(
        widths=((128, 128, 128, 64, 64, 64), ),
        kernels=((1, 3, 3, 3, 3, 3, 7), ),
        dilations=((1, 2, 2, 4, 4, 2, 1), )))
load_from = 'work_dirs/s2s_dil_cityscapes/iter_960000.pth'
