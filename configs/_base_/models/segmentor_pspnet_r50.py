# A modern stand-in for the paper's Dilation10: PSPNet R50-d8 of mmsegmentation, as `segmentor`.
_base_ = 'mmseg::_base_/models/pspnet_r50-d8.py'
segmentor = _base_.model
segmentor.pretrained = None
segmentor.auxiliary_head = None  # only used in the segmentor's own training
del _base_.model
