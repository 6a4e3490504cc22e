# The segmentor of the synthetic street, trained from scratch by mmseg's own parts on all frames of the
# training sequences:
#   python tools/dataset_converters/synthetic_cityscapes.py --out data/synthetic_street --workers 2
#   python tools/train.py configs/segmentors/unet_tiny_synthetic.py
_base_ = [
    '../_base_/models/unet_tiny.py', '../_base_/datasets/synthetic_street_stills.py',
    '../_base_/schedules/segmentor_tiny.py', '../_base_/default_runtime_iter.py'
]
model = _base_.segmentor
