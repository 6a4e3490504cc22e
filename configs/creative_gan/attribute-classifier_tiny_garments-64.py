# A classifier of shape and texture of the generated garments, for the evaluation of GANs.
_base_ = [
    '../_base_/models/attribute-classifier_tiny.py', '../_base_/datasets/garments_64.py',
    '../_base_/schedules/classifier_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(attributes=dict(shape=6, texture=7))
default_hooks = dict(checkpoint=dict(interval=500))
