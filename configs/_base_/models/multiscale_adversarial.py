# The paper's predictor and its discriminator for patches of 32x32; cross-entropy of weight 0.05. A training
# step is one of the discriminator, then one of the predictor.
_base_ = './multiscale.py'
model = dict(
    discriminator=dict(type='MultiScaleDiscriminator', patch_size=(32, 32)),
    gan_loss=dict(type='GANLoss', gan_type='vanilla', loss_weight=0.05))
model_wrapper_cfg = dict(type='mmforecast.AdversarialDistributedDataParallel')
