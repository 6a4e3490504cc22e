# Conditioned on a shape label, deviating in texture by CAN(H). The generator learns to draw the given shape;
# the discriminator classifies only real images.
_base_ = './dcgan_rtw-256.py'
model = dict(
    condition='label:shape',
    generator=dict(num_classes=7),
    discriminator=dict(attributes=dict(shape=7, texture=7)),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=[
            dict(
                type='AttributeClassificationLoss',
                branches=('shape', ),
                loss_name='loss_condition',
                data_info=dict(logits='cls_pred_fake_g', labels='fake_labels')),
            dict(
                type='CreativityLoss', mode='can_h', branches=('texture', ), ramp=(2000, 4000)),
        ]))
