# Nothing to train: python tools/test.py configs/baselines/flow-shift_f2f_tiny_synthetic.py none
_base_ = '../f2f/f2f_tiny_synthetic.py'
model = dict(
    predictor=dict(_delete_=True, type='CopyLast'),
    decoder=dict(type='FlowInstanceDecoder', mode='shift'))
