# The control of multiscale_adv-gdl_ft_tiny_driving.py: from the GDL l1 weights, without an adversary.
_base_ = './multiscale_l2_ft_tiny_driving.py'
model = dict(
    predictor=dict(
        losses=dict(
            _delete_=True, l1=dict(type='mmdet.L1Loss'), gdl=dict(type='GDLoss', alpha=1))))
load_from = 'work_dirs/multiscale_gdl-l1_tiny_driving/iter_4000.pth'
