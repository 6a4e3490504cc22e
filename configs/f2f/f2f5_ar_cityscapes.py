# Stage B, P5: back-propagation through three steps (frames 2, 5, 8, 11 -> 14, 17, 20), batch 1, 60 epochs
# at 5e-4.
_base_ = './f2f5_cityscapes.py'
model = dict(train_cfg=dict(rollout_steps=3))
train_dataloader = dict(batch_size=1, dataset=dict(num_future=3))
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_cfg = dict(max_iters=60 * 2975, val_interval=5 * 2975)
default_hooks = dict(checkpoint=dict(interval=5 * 2975))
auto_scale_lr = dict(base_batch_size=1)
load_from = 'work_dirs/f2f5_cityscapes/iter_59440.pth'
