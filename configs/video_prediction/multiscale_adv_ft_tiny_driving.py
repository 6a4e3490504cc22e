# multiscale_adv_ft_tiny_clips.py on a real drive: from l2 weights, through two frames.
_base_ = [
    '../_base_/models/multiscale_small_balanced.py', '../_base_/datasets/video_driving.py',
    '../_base_/schedules/video_balanced_ft_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    predictor=dict(out_act=None, init='copy', init_bound=1.0), train_cfg=dict(rollout_steps=2))
train_dataloader = dict(batch_size=16, dataset=dict(num_future=2))  # 8 for each network
load_from = 'work_dirs/multiscale_l2_tiny_driving/iter_4000.pth'
