# The forecaster of motion over YOLOX-nano's features from disk, on the folder for choosing: for tables of many
# rows, none of which runs the detector's backbone.
_base_ = [
    '../_base_/models/f2f_yolox-nano.py', '../_base_/datasets/driving_features.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
