# F2F without a forecaster: mmdet's unmodified Mask R-CNN with F2FNeck around its FPN. Its clips end one step
# after the past frames; it detects in that step. All parts except the forecasting networks keep the weights
# of the detector: their learning rate is 0.
_base_ = [
    '../_base_/models/mask-rcnn_tiny.py', '../_base_/datasets/synthetic_street_instances.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
weights = '{{fileDirname}}/../detectors/weights/mask-rcnn_tiny_synthetic-ed24ec5e.pth'
model = _base_.detector
model.data_preprocessor.merge(
    dict(type='mmforecast.ClipDetDataPreprocessor', num_past=4, size=(256, 512)))
model.backbone.merge(
    dict(norm_eval=True, init_cfg=dict(type='Pretrained', checkpoint=weights, prefix='backbone')))
model.neck.init_cfg = dict(type='Pretrained', checkpoint=weights, prefix='neck')
model.neck = dict(
    type='mmforecast.F2FNeck', channels=64, num_past=4, size_factor=1, fpn=model.neck)
model.rpn_head.init_cfg = dict(type='Pretrained', checkpoint=weights, prefix='rpn_head')
model.roi_head.init_cfg = dict(type='Pretrained', checkpoint=weights, prefix='roi_head')

train_dataloader = dict(dataset=dict(num_future=1))
val_dataloader = dict(dataset=dict(num_future=1))
test_dataloader = val_dataloader
val_evaluator = dict(type='ClipDetectionMetric')
test_evaluator = val_evaluator
frozen = dict(lr_mult=0.)
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys={
            'backbone': frozen,
            'neck.fpn': frozen,
            'rpn_head': frozen,
            'roi_head': frozen
        }))
