# A small S2S that corrects the last map (a variant of ours), with the paper's losses.
_base_ = './s2s_2scale_tiny_synthetic.py'
model = dict(
    predictor=dict(
        base='last',
        widths=((32, 64, 32), (32, 32)),
        kernels=((3, 3, 3, 3), (3, 3, 3)),
        dilations=((1, 2, 4, 1), (1, 1, 1))))
