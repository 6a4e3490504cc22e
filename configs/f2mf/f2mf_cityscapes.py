# F2MF-RN18, the short term: one step from four frames; rolled out at the mid term. The segmentor runs on every
# frame of a clip; f2mf_cached_cityscapes.py reads its features from disk.
_base_ = [
    '../_base_/models/f2mf.py', '../_base_/datasets/cityscapes_frames.py',
    '../_base_/schedules/f2mf_adam.py', '../_base_/default_runtime_iter.py'
]
train_dataloader = dict(batch_size=12)
