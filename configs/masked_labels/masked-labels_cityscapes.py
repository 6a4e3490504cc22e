# The released network on the labels of a segmentor of mmseg's zoo, which runs on every frame. Frames are 2 to
# 4 apart in training.
_base_ = [
    '../_base_/models/masked_labels.py', '../_base_/datasets/cityscapes_frames.py',
    '../_base_/schedules/masked_adam.py', '../_base_/default_runtime_iter.py'
]
train_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='ClipRandomFlip'),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(
    batch_size=2, dataset=dict(anchor=None, stride=(2, 4), pipeline=train_pipeline))
