# Plain SGD on batches of 4 (8 against a discriminator), as the paper is recalled; its rate, from 0.04 down to
# 0.005, is quoted by a public port. Straight down, and for how many iterations, is ours.
max_iters = 500000
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.04))
param_scheduler = [
    dict(type='LinearLR', start_factor=1, end_factor=0.125, by_epoch=False, begin=0, end=max_iters),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=50000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=4)
