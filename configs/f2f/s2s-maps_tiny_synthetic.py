# The paper's semantic baseline: S2S on label maps of the eight moving classes, painted from the instances
# that the detector sees in each frame; it has IoU-MO, and no AP. The predictor is that of S2S-warp.
# Detecting in all seven frames of a clip is most of the training time: to do it once, run
#   python tools/extract_representations.py configs/f2f/s2s-maps_tiny_synthetic.py none --out DIR
# and train with LoadClipScores and PrecomputedEncoder(channels=9), as the S2S configs of Cityscapes do.
_base_ = [
    '../_base_/models/s2s-maps_tiny.py', '../_base_/datasets/synthetic_street_instances.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
model = dict(
    encoder=dict(size=(256, 512), chunk=8, **_base_.maps_encoder),
    decoder=dict(label_values=(255, 11, 12, 13, 14, 15, 16, 17, 18)))
train_dataloader = dict(dataset=dict(num_future=3))
