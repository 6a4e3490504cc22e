# l2 loss alone on a real drive, started as copy-last.
_base_ = [
    '../_base_/models/multiscale_small.py', '../_base_/datasets/video_driving.py',
    '../_base_/schedules/video_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(predictor=dict(out_act=None, init='copy', init_bound=1.0))
