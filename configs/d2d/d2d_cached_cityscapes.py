# The same on maps from disk, instead of detecting in five frames per clip, in windows of 128x128. The frames
# of three steps, as fine-tuning takes them, hold those of one:
#   python tools/extract_representations.py configs/d2d/d2d_cityscapes.py none --levels scores --splits train \
#     --out data/cityscapes/distance_maps --cfg-options train_dataloader.dataset.num_future=3
_base_ = './d2d_cityscapes.py'
train_pipeline = [
    dict(type='LoadClipScores', store='data/cityscapes/distance_maps/train'),
    dict(type='ClipRandomCrop', size=(128, 128)),
    dict(type='ClipRandomFlip', prob=0.5),
    dict(type='PackForecastInputs'),
]
# Maps are mapped from disk: handing a clip over from a worker process takes longer than reading it.
train_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(pipeline=train_pipeline))
