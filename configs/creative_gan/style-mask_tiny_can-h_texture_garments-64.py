# Generated garments on one CPU core: a style fills their shape masks.
_base_ = [
    '../_base_/models/style-mask_256.py', '../_base_/datasets/garments_64.py',
    '../_base_/schedules/creative_adam_tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    generator=dict(output_scale=64, base_channels=8),
    discriminator=dict(input_scale=64, base_channels=16, attributes=dict(shape=6, texture=7)),
    ema_config=dict(momentum=0.005, start_iter=300),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=[
            dict(type='MaskReconstructionLoss', loss_weight=1.0),
            dict(type='CreativityLoss', mode='can_h', branches=('texture', ), ramp=(500, 1500)),
        ]))
val_dataloader = test_dataloader = None  # images are judged by tools/analysis_tools/evaluate_images.py
train_dataloader = dict(batch_size=32)
max_iters = 1800
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(checkpoint=dict(interval=600))
