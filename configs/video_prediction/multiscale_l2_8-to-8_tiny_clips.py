# Eight frames in, eight out in one forward pass, l2: late frames are blurred.
_base_ = './multiscale_l2_tiny_clips.py'
model = dict(
    num_past=8,
    predictor=dict(num_outputs=8),
    train_cfg=dict(rollout_steps=8),
    test_cfg=dict(rollout_steps=8))
train_dataloader = dict(dataset=dict(num_past=8, num_future=8))
val_dataloader = dict(dataset=dict(num_past=8, num_future=8))
test_dataloader = val_dataloader
