# The frames of any video at their own size, moved by the forecaster of motion; a step is three frames, 0.1 s
# at 30 frames a second. What `mmforecast predict` runs by default. Nothing is averaged: forecasts stay sharp.
_base_ = './video_clips.py'
model = dict(predictor=dict(average=False), test_cfg=dict(rollout_steps=3))
test_pipeline = [dict(type='LoadClipFrames'), dict(type='PackForecastInputs')]
test_dataloader = dict(dataset=dict(stride=3, num_future=3, pipeline=test_pipeline))
val_dataloader = test_dataloader
