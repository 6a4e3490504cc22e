# Epochs of 5 iterations on the toy task, through the hooks and loops of mmforecast.
custom_imports = dict(imports=['toy_task', 'mmforecast.engine'], allow_failed_imports=False)
default_scope = 'mmengine'
model = dict(type='ToyModel')
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='ToyDataset'),
)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=4, by_epoch=True)]
train_cfg = dict(type='mmforecast.EpochBasedTrainLoop', max_epochs=4)
val_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='ToyDataset', size=4, test_mode=True),
)
val_cfg = dict(type='ValLoop')
val_evaluator = dict(type='ToyMetric')
test_dataloader = val_dataloader
test_cfg = dict(type='TestLoop')
test_evaluator = val_evaluator
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=5),
    checkpoint=dict(type='mmforecast.ForecastCheckpointHook', interval=1, max_keep_ckpts=1),
)
custom_hooks = [dict(type='KillHook'), dict(type='SaveEveryStepHook')]
randomness = dict(seed=3)
env_cfg = dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0), dist_cfg=dict(backend='nccl'))
