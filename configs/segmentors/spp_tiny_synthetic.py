# The segmentor whose features F2MF forecasts on the synthetic street, trained from scratch:
#   python tools/train.py configs/segmentors/spp_tiny_synthetic.py
_base_ = [
    '../_base_/models/segmentor_spp_tiny.py', '../_base_/datasets/synthetic_street_stills.py',
    '../_base_/schedules/segmentor_tiny.py', '../_base_/default_runtime_iter.py'
]
model = _base_.segmentor
