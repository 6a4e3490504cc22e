# Linked ConvLSTMs of 32 channels on all levels of the small detector's pyramid, in patches of 2x2 cells,
# trained through the three steps of the mid term.
_base_ = '../f2f/f2f_tiny_synthetic.py'
model = dict(
    encoder=dict(standardize=True),
    predictor=dict(
        _delete_=True,
        type='PyramidConvLSTM',
        patch_size=2,
        hidden=32,
        num_cells=1,
        losses=dict(mse=dict(type='mmdet.MSELoss'))))
custom_hooks = [dict(type='FeatureStatisticsHook')]
