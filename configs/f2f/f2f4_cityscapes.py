# Stage A, P4, from the P5 network: batch 1, 80 epochs of 2975 iterations at 0.005.
_base_ = [
    '../_base_/models/f2f_mask-rcnn_r50.py', '../_base_/datasets/cityscapes_instances.py',
    '../_base_/schedules/f2f_sgd.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(levels=('P4', )),
    predictor=dict(
        num_scales=(1, ),
        coarsest_from='work_dirs/f2f5_cityscapes/iter_59440.pth'))
train_dataloader = dict(batch_size=1)
optim_wrapper = dict(optimizer=dict(lr=0.005))
default_hooks = dict(
    checkpoint=dict(interval=10 * 2975, save_best='AP'))
