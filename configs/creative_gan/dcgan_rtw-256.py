# DCGAN at 256x256 on your own collection.
_base_ = [
    '../_base_/models/dcgan_256.py', '../_base_/datasets/rtw_256.py',
    '../_base_/schedules/creative_adam.py', '../_base_/default_runtime_iter.py'
]
val_dataloader = test_dataloader = None  # images are judged by tools/analysis_tools/evaluate_images.py
