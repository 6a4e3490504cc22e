# Stage B, P2: back-propagation through three steps (frames 2, 5, 8, 11 -> 14, 17, 20), batch 1, 10 epochs,
# Adam 1e-5.
_base_ = './f2f2_cityscapes.py'
model = dict(predictor=dict(coarsest_from=None, with_cp=True), train_cfg=dict(rollout_steps=3))
train_dataloader = dict(batch_size=1, dataset=dict(num_future=3))
optim_wrapper = dict(optimizer=dict(lr=1e-5))
train_cfg = dict(max_iters=10 * 2975, val_interval=5 * 2975)
default_hooks = dict(checkpoint=dict(interval=5 * 2975))
load_from = 'work_dirs/f2f2_cityscapes/iter_89250.pth'
