# Long term: the same network as s2s_dil_small_labels_copy_synthetic.py with steps of one second (17 frames),
# up to ten ahead, on sequences of 13.5 seconds. These are written by
#   python tools/dataset_converters/synthetic_cityscapes.py --out data/long_street \
#       --frames 230 --train 30 --val 10 --test 40
# All horizons forecast the same frame of a sequence, the 226th.
_base_ = './s2s_dil_small_labels_copy_synthetic.py'
clips = dict(data_root='data/long_street', snippet_length=None, stride=17)
model = dict(test_cfg=dict(rollout_steps=10))
train_dataloader = dict(dataset=clips)
val_dataloader = dict(dataset=dict(num_future=10, anchor=225, **clips))
test_dataloader = val_dataloader
