# The same from the features that the camera's motion has moved on, instead of the newest ones.
_base_ = './conv-lstm_tiny_synthetic.py'
model = dict(predictor=dict(motion=dict(type='EgoMotion')))
