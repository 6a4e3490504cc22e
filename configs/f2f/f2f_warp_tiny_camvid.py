# F2F-warp on real driving frames: CamVid at 192x144, enlarged twofold for the detector of configs/detectors/
# mask-rcnn_tiny_camvid.py, fine-tuned from the street's weights. Instances are connected components, so
# touching objects are one.
_base_ = [
    '../_base_/models/f2f_mask-rcnn_tiny.py', '../_base_/datasets/camvid_instances.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(
        checkpoint='work_dirs/mask-rcnn_tiny_camvid/iter_600.pth', size=(288, 384)),
    predictor=dict(
        _delete_=True,
        type='WarpCorrectPredictor',
        squeeze=16,
        correction_stride=1,
        losses=dict(mse=dict(type='mmdet.MSELoss', loss_weight=0.1)),
        flow_loss=dict(type='mmdet.L1Loss')),
    train_cfg=dict(detector_loss=1.))
train_dataloader = dict(dataset=dict(num_future=3))
load_from = '{{fileDirname}}/weights/f2f_warp_tiny_synthetic-6e61a82d.pth'
max_iters = 150
optim_wrapper = dict(optimizer=dict(lr=3e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=20, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
