# D2D at half resolution with a narrower network, started as copy-last; a cross-entropy between maps joins the
# published L1 loss, in place of GDL. One step, on windows of half the height and width.
_base_ = './d2d_small_synthetic.py'
max_iters = 1500
model = dict(
    predictor=dict(
        widths=(64, 64, 64, 64, 64),
        dilations=(1, 2, 4, 4, 2, 1),
        init='copy',
        init_bound=1.,
        losses=dict(
            _delete_=True,
            l1=dict(type='ObjectL1Loss'),
            ce=dict(type='ScoreCrossEntropyLoss', temperature=0.25, class_weight=[1.] + [2.2] * 8))))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
