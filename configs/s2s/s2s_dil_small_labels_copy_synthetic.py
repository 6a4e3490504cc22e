# The same, started as copy-last (label maps lie within [-1, 1]), with more iterations and flips.
# Scores that are fed back are read as probabilities: the cross-entropy makes them larger than any label map.
_base_ = './s2s_dil_small_labels_synthetic.py'
model = dict(predictor=dict(init='copy', init_bound=1., score_temperature=0.25))
train_pipeline = [
    dict(type='LoadClipSemSeg'),
    dict(type='ClipRandomCrop', size=(128, 128)),
    dict(type='ClipRandomFlip', prob=0.5),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
max_iters = 1100
optim_wrapper = dict(optimizer=dict(lr=6e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
