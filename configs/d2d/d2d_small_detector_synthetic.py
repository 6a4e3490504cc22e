# The network of d2d_small_synthetic.py on the instances that the small detector of the street detects.
_base_ = './d2d_net_detector_tiny_synthetic.py'
model = dict(encoder=dict(stride=2))
