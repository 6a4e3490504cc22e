# The same by flow matching.
_base_ = './masked-features_vit_tiny_synthetic.py'
model = dict(predictor=dict(flow=True, residual=False, losses=None))
