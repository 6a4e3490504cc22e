# A classifier of the seven textures, for the evaluation of generated images.
_base_ = [
    '../_base_/models/attribute-classifier_tiny.py', '../_base_/datasets/textures_64.py',
    '../_base_/schedules/classifier_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(attributes=dict(texture=7))
default_hooks = dict(checkpoint=dict(interval=500))
