# S2S, narrow, on smooth scores of the street's segmentor; L1 and gradient difference loss, one step.
# `model.predictor.init=copy` starts it as copy-last.
_base_ = [
    '../_base_/models/s2s_small.py', '../_base_/datasets/synthetic_street_scores.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
