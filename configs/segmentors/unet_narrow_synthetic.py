# A faster, weaker segmentor of the synthetic street: the U-Net of a sixteenth of the usual width.
_base_ = './unet_tiny_synthetic.py'
model = dict(backbone=dict(base_channels=4), decode_head=dict(in_channels=4, channels=8))
