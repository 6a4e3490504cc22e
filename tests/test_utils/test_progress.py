"""Progress bars: on a terminal only, and gone at the end."""

import io

import pytest

from mmforecast.utils.progress import progress_bar


def test_a_log_gets_no_bar():
    log = io.StringIO()
    assert list(progress_bar(range(3), desc='frames', file=log, mininterval=0)) == [0, 1, 2]
    assert log.getvalue() == ''


def test_a_terminal_gets_one_line_that_is_gone_at_the_end(terminal):
    list(progress_bar(range(3), desc='frames', file=terminal, mininterval=0))
    shown = terminal.getvalue()
    assert 'frames' in shown and '\n' not in shown
    assert shown.rstrip('\r').rpartition('\r')[2].strip() == ''


@pytest.mark.parametrize('disable', [True, False])
def test_a_bar_can_be_hidden(terminal, disable):
    list(progress_bar(range(3), file=terminal, mininterval=0, disable=disable))
    assert (terminal.getvalue() == '') == disable
