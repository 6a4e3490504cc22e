# A single-scale dilated network. The layers of the paper's S2S-dil were not published: these follow the
# same authors' next design (kernels and dilations of an F2F level), with S2S widths. A stand-in of ours.
_base_ = './s2s_2scale_cityscapes.py'
model = dict(
    predictor=dict(
        widths=((128, 128, 128, 64, 64, 64), ),
        kernels=((1, 3, 3, 3, 3, 3, 7), ),
        dilations=((1, 2, 2, 4, 4, 2, 1), )))
