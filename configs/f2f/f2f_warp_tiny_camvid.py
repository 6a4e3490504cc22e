# F2F-warp on real driving frames: CamVid at 192x144, enlarged twofold for the detector of configs/detectors/
# mask-rcnn_tiny_camvid.py. Instances are connected components, so touching objects are one.
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
        channels=64,
        num_levels=4,
        correction_stride=1,
        losses=dict(mse=dict(type='mmdet.MSELoss', loss_weight=0.1))),
    train_cfg=dict(detector_loss=1.))
train_dataloader = dict(dataset=dict(num_future=3))
