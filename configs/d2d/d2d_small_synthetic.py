# D2D's network at half resolution, where a pixel of its maps sees twice as far: one step, on windows of half
# the height and width. `model.predictor.init=copy` starts it as copy-last.
_base_ = './d2d_tiny_synthetic.py'
model = dict(encoder=dict(stride=2))
