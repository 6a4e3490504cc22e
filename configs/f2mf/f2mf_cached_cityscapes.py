# The same on features from disk, which are rounded to half precision: 5 frames of each snippet, 8 GB.
#   python tools/extract_representations.py configs/f2mf/f2mf_cityscapes.py none \
#     --out data/cityscapes/spp_features --splits train
_base_ = './f2mf_cityscapes.py'
train_pipeline = [
    dict(type='LoadClipFeatures', store='data/cityscapes/spp_features/train'),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(pipeline=train_pipeline))
