# Frames moved by the forecaster of motion, each pixel averaged over the error of its motion: nothing is
# trained on the clips.
_base_ = [
    '../_base_/models/motion.py', '../_base_/datasets/video_clips.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    type='VideoForecaster',
    num_past=4,
    predictor=dict(average=True, **_base_.motion),
    test_cfg=dict(rollout_steps=2))
