# The vision transformer whose features the masked transformer forecasts on the synthetic street, from scratch:
#   python tools/train.py configs/segmentors/vit_tiny_synthetic.py
_base_ = [
    '../_base_/models/segmentor_vit_tiny.py', '../_base_/datasets/synthetic_street_stills.py',
    '../_base_/schedules/segmentor_tiny.py', '../_base_/default_runtime_iter.py'
]
model = _base_.segmentor
find_unused_parameters = True  # the coarsest fusion has a unit without use, as in the authors' code
