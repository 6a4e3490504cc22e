# D2D's own network on the instances that the small detector of the street detects; evaluates any checkpoint
# of d2d_tiny_synthetic.py.
_base_ = ['../_base_/models/mask-rcnn_tiny.py', './d2d_tiny_synthetic.py']
model = dict(
    encoder=dict(
        detector=_base_.detector,
        checkpoint='{{fileDirname}}/../detectors/weights/mask-rcnn_tiny_synthetic-ed24ec5e.pth',
        size=(256, 512),
        chunk=8),
    test_cfg=dict(rollout_steps=3))
