# Adversarial loss and l2: 0.05 adv + l2, batches of 8.
_base_ = [
    '../_base_/models/multiscale_adversarial.py', '../_base_/datasets/ucf101_test_frames.py',
    '../_base_/schedules/video_adversarial_sgd.py', '../_base_/default_runtime_iter.py'
]
default_hooks = dict(checkpoint=dict(interval=10000))
