# Trains the motion forecaster, whose weights serve every other config: on the label maps of a synthetic street
# whose cameras rock, turn and differ as those of real cars do; on no real frame and no label of one. The data:
#   python tools/dataset_converters/synthetic_cityscapes.py --out data/varied_street \
#       --size 192x384 --train 200 --val 24 --seed 7 --vary-camera
# Steps of 0.12 to 0.24 s, one to three of them ahead.
_base_ = [
    '../_base_/models/s2s_2scale.py', '../_base_/datasets/synthetic_street.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    num_past=3,
    encoder=dict(_delete_=True, type='LabelMapEncoder', num_classes=19),
    predictor=dict(
        _delete_=True,
        type='MotionForecaster',
        region_share=None,  # to learn what features and frames need too, which have no regions
        spread=None,  # the choice of classes has no gradient
        losses=dict(
            ce=dict(
                type='ScoreCrossEntropyLoss',
                temperature=0.5,
                loss_weight=0.2,
                # about the inverse root of a class's share of pixels; moving classes half as much again
                class_weight=[
                    0.6, 2, 0.7, 5, 4, 3, 6, 5, 1, 2, 0.8, 5.5, 8.5, 1.5, 2.5, 2.5, 4.5, 9, 9
                ]))),
    train_cfg=dict(rollout_steps=3))
train_dataloader = dict(
    batch_size=2,
    dataset=dict(
        data_root='data/varied_street',
        num_past=3,
        num_future=3,
        stride=(2, 4),
        pipeline=[
            dict(type='LoadClipFrames'),
            dict(type='LoadClipSemSeg'),
            dict(type='ClipRandomFlip'),
            dict(type='PackForecastInputs'),
        ]))
val_dataloader = dict(dataset=dict(data_root='data/varied_street', num_past=3))
test_dataloader = val_dataloader
# the average over the last hundreds of iterations
custom_hooks = [dict(type='EMAHook', momentum=0.01)]
max_iters = 800
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
