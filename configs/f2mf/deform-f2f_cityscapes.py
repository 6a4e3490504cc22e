# DeformF2F-8, the short term.
_base_ = './f2mf_cityscapes.py'
model = dict(
    predictor=dict(
        _delete_=True, type='DeformF2FPredictor', losses=dict(mse=dict(type='mmdet.MSELoss'))))
