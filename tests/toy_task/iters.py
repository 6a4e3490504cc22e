# 20 iterations over an endless sampler, with Adam.
_base_ = './epochs.py'
train_dataloader = dict(sampler=dict(type='InfiniteSampler'))
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr=0.01))
param_scheduler = [dict(type='PolyLR', eta_min=1e-4, by_epoch=False, begin=0, end=20)]
train_cfg = dict(_delete_=True, type='mmforecast.IterBasedTrainLoop', max_iters=20, val_interval=6)
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=4))
log_processor = dict(by_epoch=False)
