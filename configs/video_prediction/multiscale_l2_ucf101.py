# The paper's predictor with the l2 loss alone, on moving 32x32 patches of UCF101; tested on the authors'
# frames.
_base_ = [
    '../_base_/models/multiscale.py', '../_base_/datasets/ucf101_test_frames.py',
    '../_base_/schedules/video_sgd.py', '../_base_/default_runtime_iter.py'
]
train_dataloader = dict(batch_size=4)
default_hooks = dict(checkpoint=dict(interval=10000))
