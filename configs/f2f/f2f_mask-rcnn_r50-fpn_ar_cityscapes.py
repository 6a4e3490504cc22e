# All levels fine-tuned at once through three steps, by the schedule of P2. Also evaluates the assembled
# stage B.
_base_ = './f2f_mask-rcnn_r50-fpn_cityscapes.py'
model = dict(predictor=dict(with_cp=True), train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
optim_wrapper = dict(optimizer=dict(lr=1e-5))
train_cfg = dict(max_iters=10 * 2975, val_interval=5 * 2975)
default_hooks = dict(checkpoint=dict(interval=5 * 2975))
load_from = 'work_dirs/f2f_mask-rcnn_r50-fpn_cityscapes/iter_89250.pth'
