# Nothing to train: python tools/test.py configs/baselines/oracle_tiny_synthetic.py none
_base_ = '../s2s/s2s_warp_tiny_synthetic.py'
model = dict(predictor=dict(_delete_=True, type='Oracle'))
