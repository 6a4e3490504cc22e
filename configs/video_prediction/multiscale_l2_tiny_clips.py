# l2 loss alone, the narrow network on real clips, on one CPU core.
_base_ = [
    '../_base_/models/multiscale_small.py', '../_base_/datasets/video_clips.py',
    '../_base_/schedules/video_tiny.py', '../_base_/default_runtime_iter.py'
]
