# All levels on random windows of 128x128 cells of P2 (512x512 pixels) of four clips: the same networks with
# half the activations of one whole clip, and more variety. The backbone still sees whole frames. Give
# tools/train.py --amp for half precision. Ours: the paper trains on whole maps.
_base_ = './f2f_mask-rcnn_r50-fpn_cityscapes.py'
model = dict(train_cfg=dict(crop_size=(128, 128)))
train_dataloader = dict(batch_size=4)
auto_scale_lr = dict(base_batch_size=4)
