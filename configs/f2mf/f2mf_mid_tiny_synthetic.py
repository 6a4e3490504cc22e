# The same network, trained to jump to the mid term: three steps, of which only the last is forecast.
_base_ = './f2mf_tiny_synthetic.py'
model = dict(predictor=dict(lead=3), train_cfg=dict(rollout_steps=3))
train_dataloader = dict(dataset=dict(num_future=3))
