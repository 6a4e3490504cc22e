# The same, fine-tuned from the weights of the synthetic street.
_base_ = './s2s_tiny_camvid.py'
load_from = 'work_dirs/s2s_tiny_synthetic/iter_1000.pth'
