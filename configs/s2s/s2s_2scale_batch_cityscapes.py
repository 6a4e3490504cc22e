# The paper's batch model: all three steps of the mid term in one forward pass.
_base_ = './s2s_2scale_cityscapes.py'
model = dict(predictor=dict(num_outputs=3), train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
