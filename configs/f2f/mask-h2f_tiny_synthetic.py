# Mask H2F, the paper's baseline: the detector itself, fine-tuned to see the past frames and output the
# future. A 1x1 convolution per level joins the past maps and starts as a copy of the newest; it and the
# whole detector are trained by the detector's losses on the three steps of the mid term. The paper says
# little of how its own was built; these details are ours.
_base_ = './f2f_tiny_synthetic.py'
model = dict(
    encoder=dict(frozen=False, detector=dict(backbone=dict(norm_eval=True))),
    predictor=dict(_delete_=True, type='FeatureFusion'),
    train_cfg=dict(detector_loss=1.))
# The detector is trained already.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(encoder=dict(lr_mult=0.1))))
