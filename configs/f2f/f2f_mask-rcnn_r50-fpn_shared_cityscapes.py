# One network of one scale for all levels (10,816,000 parameters), instead of one per level.
_base_ = './f2f_mask-rcnn_r50-fpn_cityscapes.py'
model = dict(predictor=dict(share_weights=True, num_scales=(1, 1, 1, 1)))
