# The creativity loss of Sharma and Mittal, which deviates from shapes and textures.
_base_ = './can-h_tiny_both_garments-64.py'
model = dict(
    loss_config=dict(
        gen_auxiliary_loss=dict(mode='sharma_mittal', alpha=0.5, beta=0.9999)))
