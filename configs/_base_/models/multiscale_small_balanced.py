# Narrow predictor against the narrow discriminator of the authors' code, which keeps all places of a patch
# apart. Its weight is balanced by gradients, at most the paper's 0.05; its features are matched; each network
# has batches of its own, as in the authors' code.
_base_ = './multiscale_small.py'
model = dict(
    discriminator=dict(
        type='MultiScaleDiscriminator',
        patch_size=(32, 32),
        widths=((32, ), (32, 32, 64), (32, 32, 64), (32, 32, 64, 128)),
        kernels=((3, ), (3, 3, 3), (5, 5, 5), (7, 7, 5, 5)),
        hidden=((256, 128), (256, 128), (256, 128), (256, 128)),
        pools=(1, 1, 1, 2)),
    gan_loss=dict(type='GANLoss', gan_type='vanilla', loss_weight=0.05),
    balance=dict(ratio=0.1, momentum=0.99),
    feature_matching=0.05,
    split_batch=True)
model_wrapper_cfg = dict(type='mmforecast.AdversarialDistributedDataParallel')
