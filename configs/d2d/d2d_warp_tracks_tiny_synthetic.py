# D2D-warp with tracking scores in addition to the others. They need motmetrics.
_base_ = './d2d_warp_tiny_synthetic.py'
val_evaluator = [
    dict(type='CityscapesInstanceMetric', min_region_size=10, no_ap=('own', 'constant'), semantics='labels'),
    dict(type='TrackingMetric', min_region_size=10),
]
test_evaluator = val_evaluator
