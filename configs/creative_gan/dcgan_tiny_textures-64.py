# DCGAN, the baseline without attributes, on generated textures, on one CPU core.
_base_ = [
    '../_base_/models/dcgan_64_tiny.py', '../_base_/datasets/textures_64.py',
    '../_base_/schedules/creative_adam_tiny.py', '../_base_/default_runtime_iter.py'
]
val_dataloader = test_dataloader = None  # images are judged by tools/analysis_tools/evaluate_images.py
train_dataloader = dict(batch_size=32)
default_hooks = dict(checkpoint=dict(interval=600))
