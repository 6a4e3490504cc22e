"""mmforecast: forecasting on MMEngine, beside mmdet and mmsegmentation."""

from importlib.util import find_spec

from .ops import install_finder
from .utils.check_env import OPENMMLAB, installed_versions, warn_or_raise
from .version import __version__

__all__ = ['__version__']

warn_or_raise(installed_versions(OPENMMLAB))
# mmcv without its compiled extension: mmcv.ops can be imported all the same.
install_finder()

# Without mmengine there is nothing to register with, but the check must still be importable.
if find_spec('mmengine'):
    from .utils.missing_names import restore_missing_names

    restore_missing_names()

    from mmengine.config.utils import MODULE2PACKAGE

    # `_base_ = 'mmforecast::...'` and `get_config('mmforecast::...')` work for the packages in this
    # table only. The value is a module and not the distribution: where the distribution lies,
    # mmengine asks setuptools, which answers site-packages for an editable install; where a module
    # lies, it asks the import system.
    MODULE2PACKAGE.setdefault('mmforecast', 'mmforecast.version')
