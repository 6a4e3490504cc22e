# The one-step network fine-tuned through the three steps of the mid term, from its weights.
_base_ = './f2mf_cityscapes.py'
load_from = 'work_dirs/f2mf_cityscapes/iter_39520.pth'
model = dict(train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
max_iters = 20 * 247
optim_wrapper = dict(optimizer=dict(lr=5e-5))
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=1e-7, by_epoch=False, begin=0, end=max_iters)
]
train_cfg = dict(max_iters=max_iters)
