# Adam at 5e-4 with cosine annealing, 160 epochs of 2975 clips in batches of 12 (other implementations of the
# papers take 12 to 24).
max_iters = 160 * 247
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=5e-4))
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=1e-7, by_epoch=False, begin=0, end=max_iters)
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=20 * 247)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=12)
