# An eighth of the paper's widths, as the authors' code has by default: 223,644 parameters.
_base_ = './multiscale.py'
model = dict(
    predictor=dict(widths=((16, 32, 16), (16, 32, 16), (16, 32, 64, 32, 16), (16, 32, 64, 32, 16))))
