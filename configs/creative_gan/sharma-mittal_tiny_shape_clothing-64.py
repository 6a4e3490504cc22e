# The creativity loss of Sharma and Mittal, which deviates from shapes.
_base_ = './dcgan_tiny_clothing-64.py'
model = dict(
    discriminator=dict(attributes=dict(shape=10)),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=dict(
            type='CreativityLoss', mode='sharma_mittal', alpha=0.5, beta=0.9999, ramp=(500, 1500))))
