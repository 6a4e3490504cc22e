# F2MF on the synthetic street, one step; rolled out at the mid term.
_base_ = [
    '../_base_/models/f2mf_tiny.py', '../_base_/datasets/synthetic_street.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
