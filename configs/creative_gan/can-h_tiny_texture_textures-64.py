# CAN(H), the holistic creativity loss, which deviates from textures.
_base_ = './dcgan_tiny_textures-64.py'
model = dict(
    discriminator=dict(attributes=dict(texture=7)),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=dict(
            type='CreativityLoss', mode='can_h', loss_weight=0.6, ramp=(500, 1500))))
