# Fine-tuning of multiscale_adv-gdl_ucf101.py on 64x64 patches, for which the discriminator is made anew.
_base_ = './multiscale_adv_ft64_ucf101.py'
model = dict(
    predictor=dict(
        losses=dict(
            _delete_=True, l1=dict(type='mmdet.L1Loss'), gdl=dict(type='GDLoss', alpha=1))))
load_from = 'work_dirs/multiscale_adv-gdl_ucf101/iter_500000.pth'
