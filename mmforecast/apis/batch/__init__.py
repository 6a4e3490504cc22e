"""Forecasts of many videos by many processes: units of work, their results, and who does them."""

from typing import TYPE_CHECKING

from mmforecast.utils.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from .manifest import read_manifest
    from .run import Summary, run_batch
    from .settings import BatchSettings

__all__ = ['BatchSettings', 'Summary', 'read_manifest', 'run_batch']

# The command line reads the options' defaults for its help, which must not wait for torch.
lazy_exports(__name__, __file__)
