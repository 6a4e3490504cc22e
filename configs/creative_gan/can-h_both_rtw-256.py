# CAN(H), which deviates from shapes and textures. 7 and 7 classes are DeSIGN's: set those of the collection.
_base_ = './dcgan_rtw-256.py'
model = dict(
    discriminator=dict(attributes=dict(shape=7, texture=7)),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=dict(type='CreativityLoss', mode='can_h', ramp=(2000, 4000))))
