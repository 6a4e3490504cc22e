# D2D-warp on the instances that the small detector of the street detects, as the authors use Mask R-CNN.
# Most of the training time goes into detecting in all seven frames of a clip.
_base_ = ['../_base_/models/mask-rcnn_tiny.py', './d2d_warp_tiny_synthetic.py']
model = dict(
    encoder=dict(
        detector=_base_.detector,
        checkpoint='{{fileDirname}}/../detectors/weights/mask-rcnn_tiny_synthetic-ed24ec5e.pth',
        size=(256, 512),
        chunk=8))
