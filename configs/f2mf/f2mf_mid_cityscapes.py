# F2MF-RN18, the mid term: a network of its own that jumps three steps (9 frames) directly, from the same four
# frames.
_base_ = './f2mf_cityscapes.py'
model = dict(predictor=dict(lead=3), train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
