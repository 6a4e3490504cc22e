# The first stage by flow matching, after Latent-Foresight, on the components in place of its learned ones.
_base_ = './masked-features_cityscapes.py'
model = dict(predictor=dict(flow=True, losses=None))
