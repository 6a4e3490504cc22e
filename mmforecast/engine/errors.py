"""Deprecated: moved to :mod:`mmforecast.cli.errors`."""

import warnings

from mmforecast.cli.errors import *  # noqa: F403

warnings.warn('mmforecast.engine.errors has moved to mmforecast.cli.errors', DeprecationWarning, stacklevel=2)
