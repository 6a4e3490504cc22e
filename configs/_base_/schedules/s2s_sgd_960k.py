# Plain SGD at 0.01 without momentum, batch 4. The learning rate and the batch size are those of the
# authors' code; the number of iterations is recalled from the paper, not verified.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=960000, val_interval=20000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=4)
