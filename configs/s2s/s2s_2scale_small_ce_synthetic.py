# Two scales with cross-entropy between scores in place of the paper's losses; classes that move weigh more.
_base_ = './s2s_2scale_small_synthetic.py'
model = dict(
    predictor=dict(
        losses=dict(
            _delete_=True,
            ce=dict(type='ScoreCrossEntropyLoss', class_weight=[1.] * 11 + [2.2] * 8))))
