# Gradient difference loss and l1 on CamVid's frames.
_base_ = [
    '../_base_/models/multiscale_small.py', '../_base_/datasets/video_camvid.py',
    '../_base_/schedules/video_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    predictor=dict(
        losses=dict(
            _delete_=True, l1=dict(type='mmdet.L1Loss'), gdl=dict(type='GDLoss', alpha=1))))
