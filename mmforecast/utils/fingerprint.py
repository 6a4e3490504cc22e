"""Deprecated: moved to :mod:`mmforecast.fileio.fingerprint`."""

import warnings

from mmforecast.fileio.fingerprint import *  # noqa: F403

warnings.warn(
    'mmforecast.utils.fingerprint has moved to mmforecast.fileio.fingerprint',
    DeprecationWarning,
    stacklevel=2,
)
