# ConvLSTMs on all levels of Mask R-CNN's pyramid, linked from the coarsest down: 256 channels, two cells per
# level, 45,361,152 parameters. One step of features computed on the fly.
_base_ = [
    '../_base_/models/f2f_mask-rcnn_r50.py', '../_base_/datasets/cityscapes_instances.py',
    '../_base_/schedules/f2f_adam.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    predictor=dict(
        _delete_=True,
        type='PyramidConvLSTM',
        hidden=256,
        losses=dict(mse=dict(type='mmdet.MSELoss'))))
