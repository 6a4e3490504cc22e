# Settings shared by all runs; the checkpoint hook and the training loops are those of mmforecast/engine.
default_scope = 'mmforecast'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='ForecastCheckpointHook', interval=1, max_keep_ckpts=2),
    data_faults=dict(type='DataFaultHook'),
    divergence=dict(type='DivergenceHook'),
    vanishing=dict(type='VanishingGradientHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='ForecastVisualizationHook'))

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))

vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='ForecastLocalVisualizer', vis_backends=vis_backends, name='visualizer')

log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
log_level = 'INFO'

load_from = None
resume = False
