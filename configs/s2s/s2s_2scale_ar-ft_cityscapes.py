# Autoregressive fine-tuning: back-propagation through three steps, from the one-step weights.
_base_ = './s2s_2scale_cityscapes.py'
model = dict(train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
optim_wrapper = dict(optimizer=dict(lr=0.001))  # a smaller rate than the first training's; value ours
train_cfg = dict(max_iters=96000)
load_from = 'work_dirs/s2s_2scale_cityscapes/iter_960000.pth'
