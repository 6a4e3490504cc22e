# Nothing to train: python tools/test.py configs/baselines/flow_cityscapes.py none
_base_ = '../s2s/s2s_2scale_cityscapes.py'
model = dict(predictor=dict(_delete_=True, type='FlowWarp'))
