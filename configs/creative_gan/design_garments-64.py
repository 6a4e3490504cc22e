# The model of `mmforecast design`: generated garments of any mix of shapes and textures, in drawn or given
# shapes. Half of the images are asked for single classes, the others for blends.
_base_ = [
    '../_base_/models/dcgan_64_tiny.py', '../_base_/datasets/garments_64.py',
    '../_base_/schedules/creative_adam_tiny.py', '../_base_/default_runtime_iter.py'
]
attributes = dict(shape=6, texture=7)
model = dict(
    condition='mix',
    mix_config=dict(pure=0.5, mask_share=0.25),
    generator=dict(
        _delete_=True, type='GarmentGenerator', attributes=attributes, output_scale=64, noise_size=100),
    discriminator=dict(attributes=attributes),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=dict(type='AttributeMixLoss')))
optim_wrapper = dict(generator=dict(optimizer=dict(lr=1e-3)))
val_dataloader = test_dataloader = None  # images are judged by tools/analysis_tools/evaluate_images.py
# The discriminator moves the images itself; without jitter, garments are symmetric, as drawn ones are.
train_pipeline = [dict(type='PackCreativeInputs')]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
default_hooks = dict(checkpoint=dict(interval=600))
auto_scale_lr = dict(base_batch_size=16)
custom_hooks = [
    dict(type='SampleGridHook', interval=200, scale=2),
    dict(type='GANHealthHook', interval=300),
]
