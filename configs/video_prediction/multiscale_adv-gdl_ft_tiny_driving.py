# The same with l1 and gradient difference loss, from the GDL l1 weights.
_base_ = './multiscale_adv_ft_tiny_driving.py'
model = dict(
    predictor=dict(
        losses=dict(
            _delete_=True, l1=dict(type='mmdet.L1Loss'), gdl=dict(type='GDLoss', alpha=1))))
load_from = 'work_dirs/multiscale_gdl-l1_tiny_driving/iter_4000.pth'
