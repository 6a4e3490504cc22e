# D2D in the paper's setting: Mask R-CNN's instances of each frame, no ground truth on inputs, distance maps at
# 128x256, trained to predict one step, rolled out three steps at test (mid term). Short term:
#   --cfg-options model.test_cfg.rollout_steps=1 test_dataloader.dataset.num_future=1
# The network, the loss and the schedule are inferred, see docs/d2d.md.
_base_ = [
    '../_base_/models/mask-rcnn_r50_cityscapes.py', '../_base_/models/d2d.py',
    '../_base_/datasets/cityscapes_instances.py', '../_base_/schedules/d2d_adam.py',
    '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(
        detector=_base_.detector,
        # of mmdet's model zoo, downloaded once; configs/detectors/mask-rcnn_r50-fpn_cityscapes.py trains one
        checkpoint='zoo://mask-rcnn_r50_fpn_1x_cityscapes',
        stride=8,
        min_area=4,
        chunk=2))
train_dataloader = dict(batch_size=8)
val_evaluator = dict(semantics='labels')
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(interval=10000))
