"""Times of calls and of processes."""

import time

import pytest

from mmforecast.utils.timing import timed, timed_python


def test_a_call_that_waits_takes_the_clock_and_no_processor():
    spent, result = timed(lambda seconds: time.sleep(seconds) or 'done', 0.3)
    assert result == 'done' and spent.clock >= 0.3 and spent.processor < 0.2


def test_a_process_has_the_time_of_its_children(tmp_path):
    work = (
        'import subprocess, sys; print(subprocess.run([sys.executable, "-c", "sum(range(10**7))"]).returncode)'
    )
    spent, printed = timed_python(['-c', work], {}, tmp_path)
    alone, _ = timed_python(['-c', 'pass'], {})
    assert printed == '0\n' and spent.processor > alone.processor
    code = 'import os; print(os.getcwd(), os.environ["WORD"])'
    assert timed_python(['-c', code], {'WORD': 'x'}, tmp_path)[1] == f'{tmp_path} x\n'


def test_a_process_that_fails_is_shown():
    with pytest.raises(RuntimeError, match=r'(?s)-c 1/0 failed:\n.*ZeroDivisionError'):
        timed_python(['-c', '1/0'], {})
