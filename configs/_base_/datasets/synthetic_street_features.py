# The synthetic street with the features of its small detector from disk, for training; windows begin at every
# third frame (1200 frames of 1.4 MB). Validation detects online. Features are written by
#   python tools/extract_representations.py configs/f2f/f2f_small_synthetic.py none \
#       --out data/synthetic_street_features --splits train
_base_ = './synthetic_street_instances.py'
feature_root = 'data/synthetic_street_features'
train_pipeline = [
    dict(type='LoadClipFeatures', store=feature_root + '/train'),
    dict(type='ClipRandomFeatureCrop', size=(32, 64)),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(clip_step=3, pipeline=train_pipeline))
