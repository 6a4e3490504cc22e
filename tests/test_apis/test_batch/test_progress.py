"""One line for all workers, or JSON lines."""

import io
import json

import pytest

from mmforecast.apis.batch.progress import Progress


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize('terminal', [True, False])
def test_one_line(terminal):
    stream, clock = io.StringIO(), Clock()
    stream.isatty = lambda: terminal
    progress = Progress(4, stream=stream, clock=clock)
    clock.now = 100  # models are loaded
    progress.describe(dict(title='flow', note='no training'))
    assert stream.getvalue() == 'flow: no training\n'
    stream.truncate(stream.seek(0))
    progress.start(2)
    progress.add_frames(50)
    progress.finish(dict(state='done'))
    progress.finish(dict(state='failed'))
    clock.now = 4100
    assert progress.line() == '2/4 units, 1 failed, 0.0 frames/s, 1:06:40 left'
    progress.replace(3)  # a long video became three units
    clock.now = 110
    assert progress.line() == '2/6 units, 1 failed, 5.0 frames/s, 0:20 left'
    progress.tick()
    progress.tick()
    assert stream.getvalue() == ('\r' if terminal else '') + progress.line() + ('' if terminal else '\n')
    progress.close()
    assert stream.getvalue().endswith(' \r' if terminal else ' left\n')


def test_json_lines():
    stream, clock = io.StringIO(), Clock()
    progress = Progress(2, as_json=True, stream=stream, clock=clock)
    progress.describe(dict(title='flow', note='no training'))
    progress.start(1)
    clock.now = 10
    progress.add_frames(20)
    progress.finish(dict(state='failed', unit='a', sentence='größe "x"'))
    progress.tick()
    progress.close()
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event['event'] for event in events] == ['model', 'start', 'unit', 'progress', 'end']
    assert events[2]['sentence'] == 'größe "x"'
    assert events[3] == dict(
        event='progress', units=2, finished=1, failed=1, frames=20, frames_per_second=2.0, seconds_left=10
    )
