# Adversarial loss, l1 and gradient difference loss: 0.05 adv + l1 + GDL.
_base_ = './multiscale_adv_tiny_clips.py'
model = dict(
    predictor=dict(
        losses=dict(
            _delete_=True, l1=dict(type='mmdet.L1Loss'), gdl=dict(type='GDLoss', alpha=1))))
