# S2S-warp on CamVid, fine-tuned from the weights of the synthetic street.
_base_ = './s2s_warp_tiny_camvid.py'
optim_wrapper = dict(optimizer=dict(lr=2e-4))
load_from = 'work_dirs/s2s_warp_tiny_synthetic/iter_500.pth'
