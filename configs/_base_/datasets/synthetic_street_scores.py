# The synthetic street as scores of its small segmentor at 64x128, smooth as the S2S paper's are. Windows begin
# at every third frame, so that training needs a third of the frames (0.37 GB). Scores are written by
#   python tools/extract_representations.py configs/s2s/x2x_2scale_small_synthetic.py none \
#       --out data/synthetic_street/scores --cfg-options train_dataloader.dataset.num_future=3
_base_ = './synthetic_street.py'
score_root = 'data/synthetic_street/scores'

train_pipeline = [
    dict(type='LoadClipScores', store=score_root + '/train'),
    dict(type='ClipRandomCrop', size=(64, 64)),
    dict(type='PackForecastInputs'),
]
test_pipeline = [
    dict(type='LoadClipFrames'),  # for the baselines that read motion off them
    dict(type='LoadClipSemSeg'),
    dict(type='LoadClipScores', store=score_root + '/val'),
    dict(type='PackForecastInputs'),
]
train_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(clip_step=3, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
