# Evaluates the networks that the authors released, over the detector that they released:
#   python tools/model_converters/detectron_mask_rcnn.py model_final.pkl checkpoints/mask-rcnn_detectron.pth
#   python tools/model_converters/f2f.py F2F.net checkpoints/f2f_released.pth
#   python tools/test.py configs/f2f/f2f_mask-rcnn_r50-fpn_detectron_cityscapes.py checkpoints/f2f_released.pth
# Detectron's frames are BGR less a mean, its anchors lie in the middle of their cells, its RoIAlign is not
# aligned.
_base_ = './f2f_mask-rcnn_r50-fpn_cityscapes.py'
roi_layer = dict(sampling_ratio=2, aligned=False)
model = dict(
    encoder=dict(
        checkpoint='checkpoints/mask-rcnn_detectron.pth',
        detector=dict(
            data_preprocessor=dict(
                mean=[102.9801, 115.9465, 122.7717], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
            backbone=dict(norm_cfg=dict(requires_grad=False), style='caffe'),
            rpn_head=dict(anchor_generator=dict(center_offset=0.5)),
            roi_head=dict(
                bbox_roi_extractor=dict(roi_layer=roi_layer),
                mask_roi_extractor=dict(roi_layer=roi_layer)))))
