"""Configs that former releases had, and the commands that replace them."""

import os

__all__ = ['require_config']

# The data of each group of former baseline configs, `configs/baselines/<baseline>_<group>.py`.
_BASELINE_GROUPS = {
    'f2f_tiny_synthetic': 'f2f/f2f_tiny_synthetic.py',
    'd2d_tiny_synthetic': 'd2d/d2d_warp_tiny_synthetic.py',
    'video_tiny_clips': 'video_prediction/multiscale_l2_tiny_clips.py',
    'video_ucf101': 'video_prediction/multiscale_l2_ucf101.py',
    'tiny_synthetic': 's2s/s2s_warp_tiny_synthetic.py',
    'tiny_camvid': 's2s/s2s_warp_tiny_camvid.py',
    'cityscapes': 's2s/s2s_2scale_cityscapes.py',
}


def require_config(path: str | os.PathLike) -> None:
    """Raise a FileNotFoundError for a config that a former release had; it names the replacement."""
    path = os.fspath(path)
    folder, name = os.path.split(path)
    if os.path.exists(path) or os.path.basename(folder) != 'baselines':
        return
    for group, config in _BASELINE_GROUPS.items():
        baseline, found, rest = name.partition(f'_{group}.py')
        if found and not rest:
            raise FileNotFoundError(
                f'{path} was removed: a baseline has nothing to train and needs no config of its own. Score '
                f'it on the data of a forecaster, here: python tools/test.py configs/{config} '
                f'--baseline {baseline}'
            )
