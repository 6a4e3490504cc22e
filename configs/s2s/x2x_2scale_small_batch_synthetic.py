# The batch model of X2X: all three frames in one forward pass.
_base_ = './x2x_2scale_small_synthetic.py'
model = dict(predictor=dict(num_outputs=3), train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
