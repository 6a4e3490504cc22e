# S2S's two scales at a third of the paper's width: 40 channels carry the positive and negative parts of 19
# scores, so that `init='copy'` fits. Its losses are the paper's.
_base_ = './s2s_2scale.py'
model = dict(predictor=dict(widths=((40, 80, 40), (40, 80, 40))))
