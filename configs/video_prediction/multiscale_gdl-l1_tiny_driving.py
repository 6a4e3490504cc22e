# Gradient difference loss and l1.
_base_ = './multiscale_l2_tiny_driving.py'
model = dict(
    predictor=dict(
        losses=dict(
            _delete_=True, l1=dict(type='mmdet.L1Loss'), gdl=dict(type='GDLoss', alpha=1))))
