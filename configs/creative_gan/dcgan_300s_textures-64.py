# DCGAN on generated textures for 300 s of processor time: the baseline of wave_300s_textures-64.py.
_base_ = [
    '../_base_/models/dcgan_64_tiny.py', '../_base_/datasets/textures_64.py',
    '../_base_/schedules/creative_adam_300s.py', '../_base_/default_runtime_iter.py'
]
val_dataloader = test_dataloader = None  # images are judged by tools/analysis_tools/evaluate_images.py
train_dataloader = dict(batch_size=32)
