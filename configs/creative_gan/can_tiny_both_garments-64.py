# CAN, the binary creativity loss, which deviates from shapes and textures. With prob=sigmoid it is as DeSIGN
# writes it.
_base_ = './can-h_tiny_both_garments-64.py'
model = dict(loss_config=dict(gen_auxiliary_loss=dict(mode='can', prob='softmax')))
