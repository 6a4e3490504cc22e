"""Deprecated: moved to :mod:`mmforecast.cli.common`."""

import warnings

from mmforecast.cli.common import *  # noqa: F403

warnings.warn('mmforecast.engine.cli has moved to mmforecast.cli.common', DeprecationWarning, stacklevel=2)
