# CAN on paintings, with folders as styles: data/wikiart/train/<style>/*.jpg. The public copy of WikiArt has
# 27 styles. Batch size and learning rate are those of public code for CAN; the number of iterations is ours.
_base_ = [
    '../_base_/models/can_256.py', '../_base_/schedules/creative_adam.py',
    '../_base_/default_runtime_iter.py'
]
model = dict(
    discriminator=dict(attributes=dict(style=27)),
    loss_config=dict(
        disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
        gen_auxiliary_loss=dict(type='CreativityLoss', mode='can', prob='softmax')))
train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    drop_last=True,
    dataset=dict(
        type='FashionDataset',
        data_root='data/wikiart',
        split='train',
        attribute='style',
        pipeline=[
            dict(type='LoadRGBImage'),
            dict(type='mmcv.Resize', scale=(286, 286)),
            dict(type='mmseg.RandomCrop', crop_size=(256, 256)),
            dict(type='PackCreativeInputs'),
        ]))
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=1e-4)), discriminator=dict(optimizer=dict(lr=1e-4)))
max_iters = 125000
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
auto_scale_lr = dict(base_batch_size=16)
