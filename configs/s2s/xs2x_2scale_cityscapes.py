# XS2X: RGB and scores in, RGB out; the segmentor then segments the predicted frame. One step ahead.
_base_ = './s2s_2scale_cityscapes_online.py'
model = dict(
    variant='XS2X',
    score_scale=10.,
    predictor=dict(out_act='tanh'),
    test_cfg=dict(rollout_steps=1))
val_dataloader = dict(dataset=dict(num_future=1))
test_dataloader = val_dataloader
