# Stage A, P3, from the P5 network: batch 1, 80 epochs of 2975 iterations at 0.01.
_base_ = './f2f4_cityscapes.py'
model = dict(encoder=dict(levels=('P3', )))
optim_wrapper = dict(optimizer=dict(lr=0.01))
