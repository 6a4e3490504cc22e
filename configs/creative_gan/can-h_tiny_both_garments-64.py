# CAN(H), the holistic creativity loss, which deviates from shapes and textures; from one of them with
# model.loss_config.gen_auxiliary_loss.branches=[shape] or [texture].
_base_ = './dcgan_tiny_garments-64.py'
model = dict(
    discriminator=dict(attributes=dict(shape=6, texture=7)),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=dict(
            type='CreativityLoss', mode='can_h', branches=('shape', 'texture'), ramp=(200, 500))))
