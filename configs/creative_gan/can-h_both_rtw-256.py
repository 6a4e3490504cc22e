# CAN(H) that deviates from shapes and textures. Set the numbers of classes, here DeSIGN's 7 and 7, to those
# of the collection.
_base_ = './dcgan_rtw-256.py'
model = dict(
    discriminator=dict(attributes=dict(shape=7, texture=7)),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=dict(type='CreativityLoss', mode='can_h', ramp=(2000, 4000))))
