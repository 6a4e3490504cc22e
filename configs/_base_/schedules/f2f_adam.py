# The authors' schedule of P2: Adam at a constant 5e-5, one clip per iteration, 30 epochs of 2975 clips.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr=5e-5, betas=(0.9, 0.999)))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=30 * 2975, val_interval=10 * 2975)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=1)
