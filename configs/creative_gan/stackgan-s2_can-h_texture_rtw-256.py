# The second stage of two: refines the images of the frozen first stage at 256x256. Learning rates are halved
# every quarter of the training, as in StackGAN.
_base_ = [
    '../_base_/models/stackgan_256.py', '../_base_/datasets/rtw_256.py',
    '../_base_/schedules/creative_adam.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    generator=dict(
        checkpoint='work_dirs/stackgan-s1_can-h_texture_rtw-64/iter_40000.pth'),
    discriminator=dict(attributes=dict(shape=7, texture=7)),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=dict(
            type='CreativityLoss', mode='can_h', branches=('texture', ), ramp=(2000, 4000))))
param_scheduler = dict(
    type='MultiStepLR', milestones=[10000, 20000, 30000], gamma=0.5, by_epoch=False)
val_dataloader = test_dataloader = None  # images are judged by tools/analysis_tools/evaluate_images.py
