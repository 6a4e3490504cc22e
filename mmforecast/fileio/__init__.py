"""Reading and writing files: atomic writes, safe checkpoints and pickles, downloads, model zoos, fingerprints.

Importing it makes mmengine read every checkpoint safely, see :mod:`.checkpoint`.
"""

from .atomic import AtomicLocalBackend, remove_leftovers, write_atomically, write_png
from .checkpoint import CheckpointError, install_safe_loaders, load_checkpoint
from .checkpoint_match import Match, match_state_dict, require_match
from .download import DownloadError, cached_download
from .fingerprint import weights_fingerprint
from .partial_file import partial_file
from .plain_state import from_plain, to_plain
from .safe_pickle import load_pickle
from .zoo import ZooModel, find_model, install_zoo_loader, zoo_weights

__all__ = [
    'AtomicLocalBackend',
    'CheckpointError',
    'DownloadError',
    'Match',
    'ZooModel',
    'cached_download',
    'find_model',
    'from_plain',
    'install_safe_loaders',
    'install_zoo_loader',
    'load_checkpoint',
    'load_pickle',
    'match_state_dict',
    'partial_file',
    'remove_leftovers',
    'require_match',
    'to_plain',
    'weights_fingerprint',
    'write_atomically',
    'write_png',
    'zoo_weights',
]

install_safe_loaders()
install_zoo_loader()
