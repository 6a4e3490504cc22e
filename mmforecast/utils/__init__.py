"""Set-up of the registries and of the environment; imports nothing heavy (:mod:`.flow` is apart for that)."""

from .check_env import assert_environment
from .setup_env import register_all_modules

__all__ = ['assert_environment', 'register_all_modules']
