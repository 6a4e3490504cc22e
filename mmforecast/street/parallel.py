"""Worker processes for rendering."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import cv2

__all__ = ['worker_pool']


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """A pool of fresh processes that keep to one core each.

    They are spawned, not forked: a fork of a process in which OpenCV has already worked inherits
    the locks of its thread pool without the threads, and hangs. A script that uses this needs the
    usual ``if __name__ == '__main__'`` guard.
    """
    return ProcessPoolExecutor(workers, multiprocessing.get_context('spawn'), _one_thread)


def _one_thread():
    cv2.setNumThreads(1)
