"""Training for a given processor time."""

import time
from types import SimpleNamespace

import pytest
from mmengine.logging import MMLogger

from mmforecast.engine.hooks import ProcessorTimeHook


def burn(seconds):
    begin = time.process_time()
    while time.process_time() - begin < seconds:
        pass


def test_the_iteration_that_uses_up_the_time_is_the_last():
    loop = SimpleNamespace(_max_iters=100)
    runner = SimpleNamespace(iter=4, max_iters=100, train_loop=loop, logger=MMLogger.get_current_instance())
    hook = ProcessorTimeHook(seconds=0.05)
    hook.before_train(runner)
    hook.after_train_iter(runner, 0)
    assert loop._max_iters == 100
    time.sleep(0.1)  # costs no processor time
    hook.after_train_iter(runner, 0)
    assert loop._max_iters == 100
    burn(0.06)
    hook.after_train_iter(runner, 0)
    assert loop._max_iters == 5  # of iterations 0 to 4


def test_seconds_must_be_positive():
    with pytest.raises(ValueError, match='seconds must be above 0, got 0'):
        ProcessorTimeHook(0)
