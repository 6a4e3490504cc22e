# The batch model of X2X: all three frames in one forward pass; as many passes of training as one step and
# its fine-tuning have together.
_base_ = './x2x_2scale_small_synthetic.py'
model = dict(predictor=dict(num_outputs=3), train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
max_iters = 1100
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
