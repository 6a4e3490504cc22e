# The control of multiscale_adv_ft_tiny_clips.py: as many steps from the same l2 weights, through two frames,
# without an adversary.
_base_ = [
    '../_base_/models/multiscale_small.py', '../_base_/datasets/video_clips.py',
    '../_base_/schedules/video_ft_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(train_cfg=dict(rollout_steps=2))
train_dataloader = dict(dataset=dict(num_future=2))
load_from = 'work_dirs/multiscale_l2_tiny_clips/iter_4000.pth'
