# l1 loss alone.
_base_ = './multiscale_l2_ucf101.py'
model = dict(predictor=dict(losses=dict(_delete_=True, l1=dict(type='mmdet.L1Loss'))))
