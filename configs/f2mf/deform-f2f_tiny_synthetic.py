# DeformF2F-5 on the synthetic street, one step.
_base_ = './f2mf_tiny_synthetic.py'
model = dict(
    predictor=dict(
        _delete_=True,
        type='DeformF2FPredictor',
        num_layers=5,
        losses=dict(mse=dict(type='mmdet.MSELoss'))))
