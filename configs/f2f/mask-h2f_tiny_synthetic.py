# Mask H2F, the paper's baseline: the detector itself, fine-tuned to read the past frames and to output the
# future. A 1x1 convolution per level merges the past maps and starts as a copy of the last one; it and the
# whole detector are trained with the detector's losses on the three steps of the mid term. The paper leaves
# the details open; these are ours.
_base_ = './f2f_tiny_synthetic.py'
model = dict(
    encoder=dict(frozen=False, detector=dict(backbone=dict(norm_eval=True))),
    predictor=dict(_delete_=True, type='FeatureFusion'),
    train_cfg=dict(detector_loss=1.))
# The detector is trained already.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(encoder=dict(lr_mult=0.1))))
