# Stage A of P5 on features from disk (16 GB), instead of five passes of the backbone per clip; the numbers
# are those of f2f5_cityscapes.py, rounded to half precision.
#   python tools/extract_representations.py configs/f2f/f2f5_cityscapes.py none \
#     --out data/cityscapes/features --levels P5 --splits train
_base_ = './f2f5_cityscapes.py'
train_pipeline = [
    dict(type='LoadClipFeatures', store='data/cityscapes/features/train', levels=('P5', )),
    dict(type='PackForecastInputs'),
]
# Features are mapped from disk: handing a clip over from a worker process takes longer than reading it.
train_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(pipeline=train_pipeline))
