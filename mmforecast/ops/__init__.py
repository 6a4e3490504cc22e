"""mmcv's operators without mmcv's compiled extension.

Importing mmforecast makes ``mmcv._ext`` importable where mmcv was installed without it, see
:mod:`.finder`. Only the standard library is imported until an operator is needed.
"""

from .finder import OPS_ENV, install_finder, operators_in_use

__all__ = ['OPS_ENV', 'install_finder', 'operators_in_use']
