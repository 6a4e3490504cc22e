# XS2X: RGB and scores in, RGB out. Can't be rolled out, so it is scored one step ahead.
_base_ = './x2x_2scale_small_synthetic.py'
model = dict(variant='XS2X', score_scale=10., test_cfg=dict(rollout_steps=1))
val_dataloader = dict(dataset=dict(num_future=1))
test_dataloader = val_dataloader
