# Autoregressive fine-tuning of the paper's network, through the three steps of the mid term.
_base_ = './s2s_2scale_tiny_synthetic.py'
model = dict(train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
optim_wrapper = dict(optimizer=dict(lr=2e-4))
train_cfg = dict(max_iters=200, val_interval=200)
load_from = 'work_dirs/s2s_2scale_tiny_synthetic/iter_500.pth'
