# Learns shape and texture of the garments made on the spot, to score generated images by.
_base_ = [
    '../_base_/models/attribute-classifier_tiny.py', '../_base_/datasets/garments_64.py',
    '../_base_/schedules/classifier_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(attributes=dict(shape=6, texture=7))
default_hooks = dict(checkpoint=dict(interval=500))
