# F2F and S2S of the papers side by side, from Mask R-CNN R50-FPN and PSPNet R50; 66,813,094 parameters. To be
# scored with the weights of both, trained apart (mid term):
#   python tools/test.py configs/panoptic/panoptic_f2f-s2s_cityscapes.py none --cfg-options \
#       model.predictor.instances_checkpoint=F2F.pth model.predictor.semantics_checkpoint=S2S.pth
# Short term: also model.test_cfg.rollout_steps=1 test_dataloader.dataset.num_future=1
# Without them it trains both at once, by F2F's schedule: a choice of ours.
_base_ = [
    '../_base_/models/f2f_mask-rcnn_r50.py', '../_base_/models/segmentor_pspnet_r50.py',
    '../_base_/datasets/cityscapes_instances.py', '../_base_/schedules/f2f_adam.py',
    '../_base_/default_runtime_iter.py'
]
model = dict(
    type='PanopticForecaster',
    encoder=dict(
        _delete_=True,
        type='PairedEncoder',
        instances=_base_.model.encoder,
        semantics=dict(
            type='SegmentorEncoder',
            segmentor=_base_.segmentor,
            # of mmseg's model zoo, downloaded once
            checkpoint='zoo://pspnet_r50-d8_4xb2-80k_cityscapes-512x1024',
            stride=8,
            chunk=1)),
    predictor=dict(
        _delete_=True,
        type='PairedPredictor',
        instances=_base_.model.predictor,
        semantics=dict(
            type='MultiScalePredictor',
            widths=((128, 256, 128), (128, 256, 128)),
            kernels=((3, 3, 3, 3), (5, 3, 3, 5)),
            losses=dict(l1=dict(type='mmdet.L1Loss'), gdl=dict(type='GDLoss', alpha=1)))),
    decoder=dict(
        _delete_=True,
        type='PairedDecoder',
        instances=dict(type='DetectionDecoder', steps='last')))
test_pipeline = [
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    dict(type='LoadClipInstances'),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(batch_size=1)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = [
    dict(type='PanopticMetric'),
    dict(type='FutureSemSegMetric', moving_ids=()),
    dict(type='CityscapesInstanceMetric', semantics='labels'),
]
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(interval=10 * 2975, save_best='PQ'))
del _base_.segmentor, _base_.norm_cfg
