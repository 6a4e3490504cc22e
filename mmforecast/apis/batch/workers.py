"""Pools of workers of the size that a machine, or a cluster, has room for."""

import os
from collections.abc import Callable
from functools import partial

from mmforecast.fileio.checkpoint import ALLOW_UNSAFE_ENV
from mmforecast.utils.checks import check_positive

from .local_pool import LocalPool, available_cores
from .pool import WorkerPool
from .ray_pool import RayPool, connect

__all__ = ['open_pool', 'settle_process']


def open_pool(
    build: Callable[..., Callable],
    workers: int | None = None,
    threads: int | None = None,
    ray: str | None = None,
    use_gpus: bool = True,
    has_children: bool = False,
) -> tuple[WorkerPool, int]:
    """A pool whose workers are not started yet, and their number.

    Args:
        build: Makes the worker of a number, in its own process; a ``functools.partial`` of a function of a
            module that takes ``num_gpus``, the GPUs that workers are spread over, and ``threads``, too. Its
            keyword ``explain``, if there is one, makes sentences of errors.
        workers: Processes; by default one per GPU, else one, or with Ray as many as there are processors for.
        threads: Threads of each; by default its share of the cores, or with Ray one.
        ray: As for :func:`~.ray_pool.connect`; None: processes on this machine.
        use_gpus: Give each worker a GPU, where there are any.
        has_children: Whether local workers start processes of their own.

    Raises:
        ConnectionError: There is no such cluster.
        ImportError: Ray is not installed.
        ValueError: A number is not positive.
    """
    if ray is not None:
        return _ray_workers(build, ray, workers, threads, use_gpus)
    gpus = _count_gpus() if use_gpus else 0
    count = max(1, gpus) if workers is None else workers
    check_positive('open_pool', workers=count)
    threads = max(1, available_cores() // count) if threads is None else threads
    check_positive('open_pool', threads=threads)
    return LocalPool(partial(build, num_gpus=gpus, threads=threads), threads, not has_children), count


def settle_process(number: int, num_gpus: int, threads: int) -> str | None:
    """Set the threads that the libraries of a worker's process use.

    Args:
        number: Of the worker.
        num_gpus: GPUs that workers are spread over.
        threads: At least 1.

    Returns:
        The worker's device, None where there are no GPUs.
    """
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    return f'cuda:{number % num_gpus}' if num_gpus else None


def _ray_workers(
    build: Callable, address: str, workers: int | None, threads: int | None, use_gpus: bool
) -> tuple[WorkerPool, int]:
    resources = connect(address)
    gpus = int(resources.get('GPU', 0)) if use_gpus else 0
    threads = 1 if threads is None else threads
    check_positive('open_pool', threads=threads)
    count = gpus or max(1, int(resources.get('CPU', 1)) // threads) if workers is None else workers
    check_positive('open_pool', workers=count)
    # Ray shows each actor the GPU that is its own as the only one.
    own = min(1, gpus)
    unsafe = {ALLOW_UNSAFE_ENV: '1'} if os.environ.get(ALLOW_UNSAFE_ENV) else {}
    return RayPool(partial(build, num_gpus=own, threads=threads), threads, own, unsafe), count


def _count_gpus() -> int:
    import torch

    return torch.cuda.device_count()
