# F2F over Faster R-CNN, which has no masks: its boxes, filled, stand for them in the scores.
_base_ = [
    'mmdet::_base_/models/faster-rcnn_r50_fpn.py', '../_base_/datasets/cityscapes_instances.py',
    '../_base_/schedules/f2f_adam.py', '../_base_/default_runtime_iter.py'
]
detector = _base_.model
detector.backbone.init_cfg = None
detector.roi_head.bbox_head.num_classes = 8
del _base_.model
model = dict(
    type='F2FForecaster',
    encoder=dict(
        type='DetectorEncoder',
        detector=detector,
        checkpoint='zoo://faster-rcnn_r50_fpn_1x_cityscapes',  # of mmdet's model zoo, downloaded once
        chunk=2),
    predictor=dict(type='F2FPredictor', losses=dict(mse=dict(type='mmdet.MSELoss'))),
    decoder=dict(type='DetectionDecoder', steps='last', fill_boxes=True),
    test_cfg=dict(rollout_steps=3))
train_dataloader = dict(batch_size=1)
default_hooks = dict(
    checkpoint=dict(interval=10 * 2975, save_best='AP'))
