"""Random numbers that neither depend on what was drawn before nor change what is drawn afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ['seeded']


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """torch's generators seeded within, and afterwards as they were."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        torch.default_generator.manual_seed(seed)
        for device in devices:
            torch.cuda.default_generators[device].manual_seed(seed)
        yield
