# The true label maps and instances of the synthetic street: S2S-warp forecasts the labels, and the newest
# instances go on as the camera's motion and their own say. True maps have no stray patches, so stuff of any
# size is kept, and the oracle is at 100.
_base_ = [
    '../_base_/datasets/synthetic_street_panoptic.py', '../_base_/schedules/tiny.py',
    '../_base_/default_runtime_iter.py'
]
model = dict(
    type='PanopticForecaster',
    num_past=4,
    encoder=dict(
        type='PairedEncoder',
        instances=dict(type='InstanceMapEncoder'),
        semantics=dict(type='LabelMapEncoder', num_classes=19)),
    predictor=dict(
        type='PairedPredictor',
        instances=dict(type='CopyLast'),
        semantics=dict(
            type='WarpCorrectPredictor',
            losses=dict(
                ce=dict(
                    type='ScoreCrossEntropyLoss',
                    temperature=0.25,
                    class_weight=[1.] * 11 + [2.2] * 8)))),
    decoder=dict(
        type='PairedDecoder', instances=dict(type='FlowInstanceDecoder', mode='ego-motion')),
    panoptic=dict(type='PanopticDecoder', stuff_area=0),
    train_cfg=dict(rollout_steps=3),
    test_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
