# The paper's network on features that the detector computes, so that it can be scored on any video.
_base_ = [
    '../_base_/models/f2f_net_yolox-nano.py', '../_base_/datasets/driving_detection.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
