# Mask R-CNN R50-FPN for the eight instance classes of Cityscapes, as `detector`: mmdet's, weights from a
# checkpoint.
_base_ = 'mmdet::_base_/models/mask-rcnn_r50_fpn.py'
detector = _base_.model
detector.backbone.init_cfg = None
detector.roi_head.bbox_head.merge(
    dict(num_classes=8, loss_bbox=dict(type='SmoothL1Loss', beta=1.0)))
detector.roi_head.mask_head.num_classes = 8
del _base_.model
