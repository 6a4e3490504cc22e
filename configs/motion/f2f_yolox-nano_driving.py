# YOLOX-nano's features on driving video, moved by the forecaster of motion: nothing is trained on the video.
_base_ = [
    '../_base_/models/f2f_yolox-nano.py', '../_base_/datasets/driving_detection.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
