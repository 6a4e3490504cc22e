# Eight frames in, the next eight out, all at once. Tested on every 200th window of the test videos: the
# authors' own test frames are six a video.
_base_ = './multiscale_gdl-l1_ucf101.py'
test_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='PackForecastInputs'),
]
model = dict(
    num_past=8,
    predictor=dict(num_outputs=8),
    train_cfg=dict(rollout_steps=8),
    test_cfg=dict(rollout_steps=8))
train_dataloader = dict(dataset=dict(num_past=8, num_future=8))
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='UCF101Dataset',
        data_root='data/ucf101',
        split='test',
        fold=1,
        num_past=8,
        num_future=8,
        clip_step=200,
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(mask='auto')
test_evaluator = val_evaluator
