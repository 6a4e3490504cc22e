# F2F-warp and S2S-warp side by side: instances from the street's small Mask R-CNN, label maps from its small
# segmentor. F2F-warp keeps the weights that ship beside its config; S2S-warp is trained.
_base_ = [
    '../_base_/models/f2f_mask-rcnn_tiny.py', '../_base_/models/unet_tiny.py',
    '../_base_/datasets/synthetic_street_panoptic.py', '../_base_/schedules/tiny.py',
    '../_base_/default_runtime_iter.py'
]
model = dict(
    type='PanopticForecaster',
    encoder=dict(
        _delete_=True,
        type='PairedEncoder',
        instances=_base_.model.encoder,
        semantics=dict(
            type='SegmentorEncoder',
            segmentor=_base_.segmentor,
            checkpoint='{{fileDirname}}/../segmentors/weights/unet_tiny_synthetic-1611a7cd.pth')),
    predictor=dict(
        _delete_=True,
        type='PairedPredictor',
        instances=dict(type='WarpCorrectPredictor', squeeze=16, correction_stride=1),
        instances_checkpoint='{{fileDirname}}/../f2f/weights/f2f_warp_tiny_synthetic-6e61a82d.pth',
        semantics=dict(
            type='WarpCorrectPredictor',
            losses=dict(
                ce=dict(
                    type='ScoreCrossEntropyLoss', class_weight=[1.] * 11 + [2.2] * 8)))))
train_dataloader = dict(dataset=dict(num_future=3))
del _base_.segmentor, _base_.norm_cfg
