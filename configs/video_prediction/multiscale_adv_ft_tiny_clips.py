# Adversarial fine-tuning of l2 weights, whose forecasts are blurred, through two frames; the adversarial
# weight is balanced.
_base_ = [
    '../_base_/models/multiscale_small_balanced.py', '../_base_/datasets/video_clips.py',
    '../_base_/schedules/video_balanced_ft_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(train_cfg=dict(rollout_steps=2))
train_dataloader = dict(batch_size=16, dataset=dict(num_future=2))  # 8 for each network
load_from = 'work_dirs/multiscale_l2_tiny_clips/iter_4000.pth'
