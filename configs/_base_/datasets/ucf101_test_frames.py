# UCF101 for training, and for testing the authors' own frames of every tenth test video (379 clips), with
# their masks of moving areas: <idx>/pred_1..4.png, target_1..2.png, pred_4_flow.png, target_1_flow.png under
# test_frames.
_base_ = './ucf101.py'
test_frames = 'data/ucf101_test_frames'

test_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadMotionMasks', threshold=0.2),
    dict(type='PackForecastInputs'),
]

val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='UCF101TestFramesDataset',
        data_root=test_frames,
        num_past=4,
        num_future=2,
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(protocols=('standard', 'iclr16'), mask='given')
test_evaluator = val_evaluator
