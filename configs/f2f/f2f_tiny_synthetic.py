# The paper's network, small (hidden widths 64 and 32), all levels together, trained through the three steps of
# the mid term on features computed on the fly.
_base_ = [
    '../_base_/models/f2f_mask-rcnn_tiny.py', '../_base_/datasets/synthetic_street_instances.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
train_dataloader = dict(dataset=dict(num_future=3))
max_iters = 450
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=20, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
