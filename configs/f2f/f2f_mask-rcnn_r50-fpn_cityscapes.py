# F2F of the paper, whole: evaluates what tools/model_converters/assemble_f2f.py puts together of the four
# levels, rolled out three steps (mid term: frame 20 from 2, 5, 8, 11). Short term (20 from 8, 11, 14, 17):
#   --cfg-options model.test_cfg.rollout_steps=1 test_dataloader.dataset.num_future=1
# Training it trains all levels at once, from scratch and by the schedule of P2: simpler than level by
# level, a choice of ours.
_base_ = [
    '../_base_/models/f2f_mask-rcnn_r50.py', '../_base_/datasets/cityscapes_instances.py',
    '../_base_/schedules/f2f_adam.py', '../_base_/default_runtime_iter.py'
]
train_dataloader = dict(batch_size=1)
default_hooks = dict(
    checkpoint=dict(interval=10 * 2975, save_best='AP'))
