# The creativity loss of Sharma and Mittal, which deviates from textures.
_base_ = './dcgan_textures-64.py'
model = dict(
    discriminator=dict(attributes=dict(texture=7)),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=dict(
            type='CreativityLoss', mode='sharma_mittal', alpha=0.5, beta=0.9999, ramp=(2000, 4000))))
