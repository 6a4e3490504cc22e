# S2S of the paper: trained to predict one step, rolled out three steps at test (mid term). Short term:
#   --cfg-options model.test_cfg.rollout_steps=1 test_dataloader.dataset.num_future=1
_base_ = [
    '../_base_/models/s2s_2scale.py', '../_base_/datasets/cityscapes_scores.py',
    '../_base_/schedules/s2s_sgd_960k.py', '../_base_/default_runtime_iter.py'
]
default_hooks = dict(checkpoint=dict(interval=20000, max_keep_ckpts=3, save_best='mIoU'))
