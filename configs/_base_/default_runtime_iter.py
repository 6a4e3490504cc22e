# The same for schedules that count iterations instead of epochs.
_base_ = './default_runtime.py'
default_hooks = dict(
    logger=dict(log_metric_by_epoch=False),  # validation scores at their iteration, not at epoch 0
    checkpoint=dict(by_epoch=False, interval=1000))
log_processor = dict(by_epoch=False)
