# F2F-warp, a variant of ours: the flow baseline on features, with a learned velocity and a learned
# correction, trained with the detector's own losses on the forecast features, besides the distance to the
# true ones and that of the velocity to the optical flow of the true frames.
_base_ = './f2f_tiny_synthetic.py'
model = dict(
    predictor=dict(
        _delete_=True,
        type='WarpCorrectPredictor',
        squeeze=16,
        correction_stride=1,
        losses=dict(mse=dict(type='mmdet.MSELoss', loss_weight=0.1)),
        flow_loss=dict(type='mmdet.L1Loss'),
        init_cfg=dict(type='Kaiming', layer='Conv2d', mode='fan_in', distribution='normal')),
    train_cfg=dict(detector_loss=1.))
