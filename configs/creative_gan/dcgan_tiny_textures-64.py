# DCGAN, the baseline without attributes, on textures made on the spot, on one CPU core. Without the penalty the
# discriminator tells these sharp edges from generated ones within 50 iterations, and all images take one colour.
_base_ = [
    '../_base_/models/dcgan_64_tiny.py', '../_base_/datasets/textures_64.py',
    '../_base_/schedules/creative_adam_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(loss_config=dict(penalty='r1', penalty_weight=1.))
val_dataloader = test_dataloader = None  # images are judged by tools/analysis_tools/evaluate_images.py
train_dataloader = dict(batch_size=32)
default_hooks = dict(checkpoint=dict(interval=600))
