# DCGAN, the baseline without attributes, on generated garments: three minutes on one CPU core.
_base_ = [
    '../_base_/models/dcgan_64_tiny.py', '../_base_/datasets/garments_64.py',
    '../_base_/schedules/creative_adam_tiny.py', '../_base_/default_runtime_iter.py'
]
val_dataloader = test_dataloader = None  # images are judged by tools/analysis_tools/evaluate_images.py
max_iters = 900
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
train_dataloader = dict(batch_size=16)
default_hooks = dict(checkpoint=dict(interval=300))
auto_scale_lr = dict(base_batch_size=16)
