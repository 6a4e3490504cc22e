import os
import signal
import threading
import time

import pytest
import torch
from torch.utils.data import DataLoader

from mmforecast.engine.data_order import ResumableDataLoader
from mmforecast.engine.interrupt import StopRequest


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_first_signal_is_a_request_and_the_handlers_come_back(number):
    before = signal.getsignal(number)
    with StopRequest() as stop:
        assert not stop.pending
        os.kill(os.getpid(), number)
        assert stop.pending
        assert signal.getsignal(number) is before  # the second stops at once
    assert signal.getsignal(number) is before


def test_second_ctrl_c_interrupts():
    # A shell starts background jobs with SIGINT ignored; then 'as ever' would be to ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), StopRequest():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def _forked(work):
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return child


def _ends_by(child):
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _kill_myself(*numbers):
    for number in numbers:
        os.kill(os.getpid(), number)


def test_forked_worker_survives_ctrl_c_but_not_a_sigterm_of_its_own(monkeypatch):
    monkeypatch.setattr(StopRequest, 'grace', 0.1)
    with StopRequest():
        child = _forked(lambda: _kill_myself(signal.SIGINT, signal.SIGTERM))
    assert _ends_by(child) == signal.SIGTERM


@pytest.mark.parametrize('times, end', [(1, 0), (2, signal.SIGTERM)])
def test_forked_worker_survives_the_first_sigterm_that_its_parent_got_too(times, end):
    with StopRequest() as stop:
        child = _forked(lambda: _kill_myself(*[signal.SIGTERM] * times))
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.pending and _ends_by(child) == end


def test_forked_worker_dies_of_sigterm_when_the_training_is_over():
    with StopRequest():
        child = _forked(lambda: (time.sleep(0.5), _kill_myself(signal.SIGTERM)))
    before = time.monotonic()
    assert _ends_by(child) == signal.SIGTERM
    assert time.monotonic() - before < StopRequest.grace / 2


class Numbers(torch.utils.data.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return index


def test_a_data_loader_outlives_the_sigterm_of_its_whole_process_group():
    loader = ResumableDataLoader(DataLoader(Numbers(), 1, num_workers=2, prefetch_factor=1), seed=0)
    with StopRequest() as stop:
        batches = iter(loader)
        found = [next(batches), next(batches)]  # one of each worker: both have started
        for process, _ in loader.dataset.held.tolist():
            os.kill(process, signal.SIGTERM)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)
        found += batches
        assert stop.pending
    loader.stop_workers()
    assert [int(n) for n in found] == list(range(8))


def test_other_threads_are_left_alone():
    entered = []

    def work():
        with StopRequest() as stop:
            entered.append(stop.pending)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [False]
