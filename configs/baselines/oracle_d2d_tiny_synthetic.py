# Nothing to train: python tools/test.py configs/baselines/oracle_d2d_tiny_synthetic.py none
_base_ = '../d2d/d2d_warp_tiny_synthetic.py'
model = dict(predictor=dict(_delete_=True, type='Oracle'))
