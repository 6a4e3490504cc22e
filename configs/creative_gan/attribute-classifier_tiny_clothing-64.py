# A classifier of the ten shapes of the clothing photographs, for the evaluation of generated images.
_base_ = [
    '../_base_/models/attribute-classifier_tiny.py', '../_base_/datasets/clothing_64.py',
    '../_base_/schedules/classifier_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(attributes=dict(shape=10))
default_hooks = dict(checkpoint=dict(interval=500))
