# Nothing to train: python tools/test.py configs/baselines/flow_video_tiny_clips.py none
_base_ = '../video_prediction/multiscale_l2_tiny_clips.py'
model = dict(predictor=dict(_delete_=True, type='FlowWarp'))
