# A style fills the shape masks of the collection, by CAN(H) on textures. The list needs a column mask_path;
# tools/dataset_converters/garment_masks.py makes masks.
_base_ = [
    '../_base_/models/style-mask_256.py', '../_base_/datasets/rtw_256.py',
    '../_base_/schedules/creative_adam.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    discriminator=dict(attributes=dict(shape=7, texture=7)),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=[
            dict(type='MaskReconstructionLoss', loss_weight=1.0),
            dict(
                type='CreativityLoss', mode='can_h', branches=('texture', ), ramp=(2000, 4000)),
        ]))
train_pipeline = [
    dict(
        type='CacheTransforms',
        transforms=[
            dict(type='LoadRGBImage'),
            dict(type='LoadGarmentMask'),
            dict(type='FitToSquare', size=256),
        ]),
    dict(type='RandomJitter'),
    dict(type='PackCreativeInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = test_dataloader = None  # images are judged by tools/analysis_tools/evaluate_images.py
