# Generated garments on one CPU core, conditioned on a shape label, deviating in texture.
_base_ = [
    '../_base_/models/dcgan_64_tiny.py', '../_base_/datasets/garments_64.py',
    '../_base_/schedules/creative_adam_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    condition='label:shape',
    generator=dict(num_classes=6),
    discriminator=dict(attributes=dict(shape=6, texture=7)),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=[
            dict(
                type='AttributeClassificationLoss',
                branches=('shape', ),
                loss_name='loss_condition',
                data_info=dict(logits='cls_pred_fake_g', labels='fake_labels')),
            dict(type='CreativityLoss', mode='can_h', branches=('texture', ), ramp=(500, 1500)),
        ]))
val_dataloader = test_dataloader = None  # images are judged by tools/analysis_tools/evaluate_images.py
train_dataloader = dict(batch_size=32)
default_hooks = dict(checkpoint=dict(interval=600))
