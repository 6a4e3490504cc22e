import os
import signal
import threading

import pytest

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


def test_forked_worker_survives_ctrl_c_but_not_sigterm():
    with StopRequest():
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGTERM


def test_other_threads_are_left_alone():
    entered = []

    def work():
        with StopRequest() as stop:
            entered.append(stop.pending)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [False]
