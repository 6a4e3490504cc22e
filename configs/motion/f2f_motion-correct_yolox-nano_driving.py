# The forecaster of motion with a learned correction of YOLOX-nano's features, read from disk.
_base_ = [
    '../_base_/models/f2f_motion-correct_yolox-nano.py', '../_base_/datasets/driving_features.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
