# A judge of the generated garments that has seen broken ones: half of its training images are degraded.
_base_ = './attribute-classifier_tiny_garments-64.py'
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='RandomJitter'),
            dict(type='RandomDegradation', prob=0.5),
            dict(type='PackCreativeInputs'),
        ]))
