# A ResNet-18 with ImageNet weights, fine-tuned on your own collection, as in DeSIGN. Download torchvision's
# weights, https://download.pytorch.org/models/resnet18-f37072fd.pth, to the path of the checkpoint. Set the
# numbers of classes, here DeSIGN's, to those of the collection.
_base_ = [
    '../_base_/datasets/rtw_256.py', '../_base_/schedules/classifier_tiny.py',
    '../_base_/default_runtime_iter.py'
]
model = dict(
    type='AttributeClassifier',
    backbone=dict(
        type='mmdet.ResNet',
        depth=18,
        out_indices=(3, ),
        norm_eval=False,
        init_cfg=dict(type='Pretrained', checkpoint='checkpoints/resnet18-f37072fd.pth')),
    in_channels=512,
    attributes=dict(shape=7, texture=7),
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    input_size=224)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
