# As released: Adam, 3.2e-4 for batches of 64 (8 GPUs of 2 clips, 4 batches per step), cosine to 0, gradients
# clipped, half precision (--amp). 3200 epochs of 46 steps each.
max_iters = 4 * 3200 * 46
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=3.2e-4),
    accumulative_counts=4,
    clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=False, begin=0, end=max_iters)
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=4 * 10 * 46)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=64)
