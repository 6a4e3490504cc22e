# Adversarial loss and l2: 0.05 adv + l2.
_base_ = [
    '../_base_/models/multiscale_small_adversarial.py', '../_base_/datasets/video_clips.py',
    '../_base_/schedules/video_adversarial_tiny.py', '../_base_/default_runtime_iter.py'
]
