# S2S-warp on your own frames with a segmentor of mmsegmentation's model zoo; its weights are downloaded once.
_base_ = ['../_base_/models/segmentor_pspnet_r50.py', './s2s-maps_tiny_frames.py']
model = dict(
    encoder=dict(
        encoder=dict(
            _delete_=True,
            type='SegmentorEncoder',
            segmentor=_base_.segmentor,
            checkpoint='zoo://pspnet_r50-d8_4xb2-80k_cityscapes-512x1024',
            stride=4)),
    predictor=dict(losses=dict(ce=dict(class_weight=None))))
metainfo = dict(
    classes=('road', 'sidewalk', 'building', 'wall', 'fence', 'pole', 'traffic light', 'traffic sign',
             'vegetation', 'terrain', 'sky', 'person', 'rider', 'car', 'truck', 'bus', 'train',
             'motorcycle', 'bicycle'),
    palette=[[128, 64, 128], [244, 35, 232], [70, 70, 70], [102, 102, 156], [190, 153, 153], [153, 153,
             153], [250, 170, 30], [220, 220, 0], [107, 142, 35], [152, 251, 152], [70, 130, 180], [220, 20,
             60], [255, 0, 0], [0, 0, 142], [0, 0, 70], [0, 60, 100], [0, 80, 100], [0, 0, 230], [119, 11,
             32]],
    moving_ids=(11, 12, 13, 14, 15, 16, 17, 18))
train_dataloader = dict(dataset=dict(metainfo=metainfo))
val_dataloader = dict(dataset=dict(metainfo=metainfo))
test_dataloader = val_dataloader
