# XS2S: RGB and scores in, scores out. Can't be rolled out (it predicts no RGB), so it is scored one step
# ahead, the paper's short term.
_base_ = './s2s_2scale_cityscapes_online.py'
model = dict(variant='XS2S', test_cfg=dict(rollout_steps=1))
val_dataloader = dict(dataset=dict(num_future=1))
test_dataloader = val_dataloader
