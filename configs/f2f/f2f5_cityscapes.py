# Stage A, P5, from scratch: one step (frames 8, 11, 14, 17 -> 20), batch 4, 80 epochs of 743 iterations at
# 0.01. Scores while a level is trained are those of the detector with the other levels zero: for comparing
# epochs only.
_base_ = [
    '../_base_/models/f2f_mask-rcnn_r50.py', '../_base_/datasets/cityscapes_instances.py',
    '../_base_/schedules/f2f_sgd.py', '../_base_/default_runtime_iter.py'
]
model = dict(encoder=dict(levels=('P5', )), predictor=dict(num_scales=(1, )))
train_dataloader = dict(batch_size=4)
train_cfg = dict(max_iters=80 * 743, val_interval=10 * 743)
default_hooks = dict(
    checkpoint=dict(interval=10 * 743, save_best='AP'))
auto_scale_lr = dict(base_batch_size=4)
