# The second stage, from the weights of the first: 448x896, 20 epochs of 46 steps, 8e-5 for batches of 64 (8
# GPUs of 1 clip, 8 batches per step). Tables of positions are resampled.
_base_ = './masked-features_cityscapes.py'
load_from = 'work_dirs/masked-features_cityscapes/iter_36800.pth'
model = dict(encoder=dict(size=(448, 896)), predictor=dict(size=(32, 64)))
train_dataloader = dict(batch_size=1)
max_iters = 8 * 20 * 46
optim_wrapper = dict(optimizer=dict(lr=8e-5), accumulative_counts=8)
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=False, begin=0, end=max_iters)
]
train_cfg = dict(max_iters=max_iters, val_interval=8 * 10 * 46)
