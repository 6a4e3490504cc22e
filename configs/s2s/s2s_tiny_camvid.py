# The small S2S on real driving frames (CamVid), from scratch.
_base_ = [
    '../_base_/models/s2s_2scale.py', '../_base_/datasets/camvid.py',
    '../_base_/schedules/tiny.py', '../_base_/default_runtime_iter.py'
]
