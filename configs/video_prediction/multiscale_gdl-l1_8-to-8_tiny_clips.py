# The same with gradient difference loss and l1.
_base_ = './multiscale_l2_8-to-8_tiny_clips.py'
model = dict(
    predictor=dict(
        losses=dict(
            _delete_=True, l1=dict(type='mmdet.L1Loss'), gdl=dict(type='GDLoss', alpha=1))))
