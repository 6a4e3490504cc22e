# Nothing to train: python tools/test.py configs/baselines/copy-last_video_ucf101.py none
_base_ = '../video_prediction/multiscale_l2_ucf101.py'
model = dict(predictor=dict(_delete_=True, type='CopyLast'))
