# The first stage of two: CAN(H) at 64x64.
_base_ = [
    '../_base_/models/dcgan_64.py', '../_base_/datasets/rtw_256.py',
    '../_base_/schedules/creative_adam.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    discriminator=dict(attributes=dict(shape=7, texture=7)),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=dict(
            type='CreativityLoss', mode='can_h', branches=('texture', ), ramp=(2000, 4000))))
train_pipeline = [
    dict(
        type='CacheTransforms',
        transforms=[dict(type='LoadRGBImage'), dict(type='FitToSquare', size=64)]),
    dict(type='RandomJitter'),
    dict(type='PackCreativeInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = test_dataloader = None  # images are judged by tools/analysis_tools/evaluate_images.py
