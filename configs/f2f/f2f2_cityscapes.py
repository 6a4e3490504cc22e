# Stage A, P2 with three scales, the coarsest from the P5 network: batch 1, 30 epochs of 2975 iterations,
# Adam 5e-5.
_base_ = [
    '../_base_/models/f2f_mask-rcnn_r50.py', '../_base_/datasets/cityscapes_instances.py',
    '../_base_/schedules/f2f_adam.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(levels=('P2', )),
    predictor=dict(
        num_scales=(3, ),
        coarsest_from='work_dirs/f2f5_cityscapes/iter_59440.pth'))
train_dataloader = dict(batch_size=1)
default_hooks = dict(
    checkpoint=dict(interval=10 * 2975, save_best='AP'))
