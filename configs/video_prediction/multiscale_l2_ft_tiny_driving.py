# The control of multiscale_adv_ft_tiny_driving.py: as many steps without an adversary.
_base_ = [
    '../_base_/models/multiscale_small.py', '../_base_/datasets/video_driving.py',
    '../_base_/schedules/video_ft_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    predictor=dict(out_act=None, init='copy', init_bound=1.0), train_cfg=dict(rollout_steps=2))
train_dataloader = dict(dataset=dict(num_future=2))
load_from = 'work_dirs/multiscale_l2_tiny_driving/iter_4000.pth'
