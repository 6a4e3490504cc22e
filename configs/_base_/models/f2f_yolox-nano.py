# F2F over YOLOX-nano: its three levels P3 to P5. The true future is decoded too, since its detections are
# what a forecast is scored by.
_base_ = ['./yolox-nano_coco.py', './motion.py']
model = dict(
    type='F2FForecaster',
    num_past=4,
    encoder=dict(
        type='DetectorEncoder',
        detector=_base_.detector,
        checkpoint='checkpoints/yolox_nano_coco_mmdet.pth'),
    predictor=_base_.motion,
    train_cfg=dict(rollout_steps=3),
    test_cfg=dict(rollout_steps=3, reference=True))
del _base_.detector, _base_.norm_cfg, _base_.act_cfg
