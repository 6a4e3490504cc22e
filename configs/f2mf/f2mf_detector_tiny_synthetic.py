# F2MF on the coarsest level of the small detector of the synthetic street. The heads see that level alone,
# which holds the large objects; name more in `levels`, and each gets a network of its own.
_base_ = [
    '../_base_/models/f2f_mask-rcnn_tiny.py', '../_base_/datasets/synthetic_street_instances.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(levels=('P5', ), standardize=True),
    predictor=dict(
        _delete_=True,
        type='F2MFPredictor',
        radius=2,
        embedding=16,
        shared_widths=(32, 32, 32),
        init='copy',
        losses=dict(mse=dict(type='mmdet.MSELoss'))),
    train_cfg=dict(rollout_steps=1))
custom_hooks = [dict(type='FeatureStatisticsHook')]
