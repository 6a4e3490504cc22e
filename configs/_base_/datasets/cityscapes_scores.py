# Cityscapes sequences as precomputed pre-softmax scores at 128x256 (1/8), the S2S paper's setting:
# 30-frame snippets, frame 20 (1-based) annotated, frames 3 apart. Scores are written by
#   python tools/extract_representations.py configs/s2s/s2s_2scale_cityscapes_online.py none \
#       --out data/cityscapes/scores
_base_ = './clip_loaders.py'
dataset_type = 'CityscapesSequenceDataset'
data_root = 'data/cityscapes'
score_root = 'data/cityscapes/scores'

train_pipeline = [
    dict(type='LoadClipScores', store=score_root + '/train'),
    dict(type='ClipRandomCrop', size=(64, 64)),
    dict(type='PackForecastInputs'),
]
test_pipeline = [
    dict(type='LoadClipFrames'),  # for the flow baseline and the pictures
    dict(type='LoadClipSemSeg'),
    dict(type='LoadClipScores', store=score_root + '/val'),
    dict(type='PackForecastInputs'),
]

train_dataloader = dict(
    # Scores are mapped from disk: handing a clip over from a worker process takes longer than reading it.
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='train',
        stride=3,
        anchor='annotated',
        pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=4,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='val',
        num_future=3,
        stride=3,
        anchor='annotated',
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='FutureSemSegMetric')
test_evaluator = val_evaluator
