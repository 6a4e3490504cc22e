# The authors' schedule of one level: SGD with Nesterov momentum at a constant rate, no weight decay, one
# clip per iteration, 80 epochs of 2975 clips.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9, nesterov=True))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=80 * 2975, val_interval=10 * 2975)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=1)
