# A small Mask R-CNN, as `detector`: ResNet-18 of half the width, an FPN of 64 channels (P2..P5, and P6 for the
# RPN by subsampling P5), light heads; for the eight instance classes of Cityscapes. Meant for frames of about
# 128x256 pixels that are enlarged twofold, hence the small anchors.
_base_ = 'mmdet::_base_/models/mask-rcnn_r50_fpn.py'
detector = _base_.model
detector.backbone.merge(
    dict(
        depth=18,
        stem_channels=16,
        base_channels=32,
        frozen_stages=-1,
        norm_eval=False,
        init_cfg=None))
detector.neck.merge(dict(in_channels=[32, 64, 128, 256], out_channels=64))
detector.rpn_head.merge(
    dict(in_channels=64, feat_channels=64, anchor_generator=dict(scales=[4])))
roi_extractor = dict(out_channels=64, roi_layer=dict(sampling_ratio=2))
detector.roi_head.bbox_roi_extractor.merge(roi_extractor)
detector.roi_head.mask_roi_extractor.merge(roi_extractor)
detector.roi_head.bbox_head.merge(dict(in_channels=64, fc_out_channels=256, num_classes=8))
detector.roi_head.mask_head.merge(
    dict(num_convs=2, in_channels=64, conv_out_channels=64, num_classes=8))
detector.train_cfg.rpn_proposal.merge(dict(nms_pre=500, max_per_img=300))
detector.train_cfg.rcnn.sampler.num = 64
detector.test_cfg.rpn.merge(dict(nms_pre=300, max_per_img=200))
del _base_.model
