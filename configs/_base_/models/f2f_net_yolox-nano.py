# The paper's F2F network at the width of YOLOX-nano's 64 channels: hidden layers are twice as wide and as wide
# (128 and 64), as with the paper's 256; three scales on the finest level. Features are standardized, and the
# network starts as copy-last.
_base_ = './f2f_yolox-nano.py'
model = dict(
    encoder=dict(standardize=True),
    predictor=dict(
        _delete_=True,
        type='F2FPredictor',
        size_factor=2,
        base='last',
        losses=dict(mse=dict(type='mmdet.MSELoss'))))
custom_hooks = [dict(type='FeatureStatisticsHook', num_clips=64)]
