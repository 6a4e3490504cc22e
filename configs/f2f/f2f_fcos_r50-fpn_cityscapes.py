# F2F over FCOS, one-stage and without anchors: five levels P3 to P7. Of RetinaNet's config, only the head
# and the extra levels differ. It has no masks: its boxes, filled, stand for them in the scores.
_base_ = './f2f_retinanet_r50-fpn_cityscapes.py'
model = dict(
    encoder=dict(
        checkpoint='checkpoints/fcos_r50-fpn_cityscapes.pth',
        detector=dict(
            type='FCOS',
            neck=dict(add_extra_convs='on_output', relu_before_extra_convs=True),
            bbox_head=dict(
                _delete_=True,
                type='FCOSHead',
                num_classes=8,
                in_channels=256,
                stacked_convs=4,
                feat_channels=256,
                strides=[8, 16, 32, 64, 128]),
            train_cfg=None)))
