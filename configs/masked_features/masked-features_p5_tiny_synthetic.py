# On the coarsest level alone: 312,032 parameters. The heads see that level, which holds the large objects.
_base_ = './masked-features_detector_tiny_synthetic.py'
model = dict(encoder=dict(levels=('P5', )))
