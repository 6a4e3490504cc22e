"""In real time the newest frame is forecast from, what comes meanwhile is left out, and the rate is told."""

import json
import os
import signal
import threading
import time

import numpy as np
import pytest

from mmforecast.apis import ForecastInferencer
from mmforecast.apis.inferencers import open_frames
from mmforecast.apis.inferencers.clips import ClipPlan, walk
from mmforecast.apis.inferencers.real_time import RealTimeFrames
from mmforecast.apis.inferencers.sources import TimedFrame
from mmforecast.apis.streaming import StreamingForecaster
from mmforecast.cli.main import main
from mmforecast.visualization import video_file

PLAN = ClipPlan(num_past=3, horizon=2, stride=3)


def image(number):
    return np.full((4, 6, 3), number % 256, np.uint8)


class Tap:
    """A live source whose frames come when the test lets them."""

    name, path, num_frames, fps, times, problem = 'tap', None, None, None, None, None
    reuses_buffers = True

    def __init__(self, length):
        self.length = length
        self.open = threading.Semaphore(0)
        self.num_read = 0
        self.buffer = image(0)

    def __iter__(self):
        for number in range(self.length):
            self.open.acquire()
            self.buffer[...] = image(number)
            self.num_read += 1
            yield TimedFrame(number, self.buffer, None)


def real_time(length):
    return RealTimeFrames(Tap(length))


def let(source, count):
    """Let frames come, and wait until they have."""
    until = min(source.num_read + count, source.source.length)
    for _ in range(count):
        source.source.open.release()
    limit = time.monotonic() + 10
    while source.num_read < until:
        assert time.monotonic() < limit
        time.sleep(0.001)
    if until == source.source.length:
        while not source._ended:
            assert time.monotonic() < limit
            time.sleep(0.001)


def taken(length, counts, every=1, plan=PLAN):
    """What ``walk`` gives where ``counts[i]`` frames come before forecast i is asked for, and when.

    Returns:
        (number, past, due, frames that had come when it was given, first value of the image) of each frame.
    """
    source = real_time(length)
    counts = iter(counts)
    steps = source.walk(plan, plan.moments(every, None))
    let(source, next(counts))
    found = []
    for frame, past, due in steps:
        found.append((frame.number, past, due, source.num_read, int(frame.image[0, 0, 0])))
        if due:
            let(source, next(counts, 0))
    return found


@pytest.mark.parametrize('stride', [1, 3])
def test_who_keeps_up_gets_a_forecast_per_step(stride):
    plan = ClipPlan(num_past=3, horizon=2, stride=stride)
    found = taken(30, [plan.span] + [stride] * 40, plan=plan)
    frames = [image(number) for number in range(30)]
    whole = list(walk(open_frames(frames), plan, stride))
    assert [one[:3] for one in found] == [(frame.number, past, due) for frame, past, due in whole]


@pytest.mark.parametrize('every', [1, 2, 3, 5])
@pytest.mark.parametrize('seed', range(4))
def test_the_newest_possible_frame_is_forecast_from(seed, every):
    """An independent account of which moments are possible, frame by frame."""
    length = 900
    enough = 15  # frames: a whole number of steps and of ``every``
    counts = [PLAN.span + 4, *np.random.default_rng(seed).integers(enough, 3 * enough, length // enough)]
    found = taken(length, counts, every)
    numbers = [number for number, *_ in found]
    assert numbers == sorted(set(numbers))  # each once, in the order of time
    assert all(value == number % 256 for number, *_, value in found)  # of a buffer that is used again
    encoded, last, futures = set(), -1, set()
    for number, past, due, come, _ in found:
        if past:
            encoded.add(number)
        else:
            assert number in futures
        if not due:
            continue
        wanted = {number - step * PLAN.stride for step in range(PLAN.num_past)}
        assert wanted <= encoded and (number - PLAN.span + 1) % every == 0
        for newer in range(number + 1, come):  # nothing newer would have done
            old = {newer - step * PLAN.stride for step in range(PLAN.num_past)}
            fits = (newer - PLAN.span + 1) % every == 0
            assert not (fits and all(one in encoded - wanted or one > last for one in old))
        futures |= {number + step * PLAN.stride for step in (1, 2)}
        last = number
    given = set(numbers)
    assert {number for number in futures if number < length} <= given  # the truth of every forecast
    assert len([1 for *_, due, _, _ in found if due]) < length / every


def test_little_is_kept():
    source = real_time(500)
    steps = source.walk(PLAN, PLAN.moments(1, None))
    let(source, 20)
    while not next(steps)[2]:
        pass
    let(source, 400)
    assert len(source._kept) <= PLAN.span + PLAN.stride + PLAN.horizon
    assert len(source._arrivals) == len(source._kept)


def test_what_fails_while_reading_is_raised():
    frames = [image(number) for number in range(10)] + [np.zeros((5, 6, 3), np.uint8)]
    source = open_frames(iter(frames), real_time=True)
    with pytest.raises(ValueError, match='frame 10 is 5x6, but those before it are 4x6'):
        list(source.walk(PLAN, PLAN.moments(1, None)))


def test_a_video_is_played_at_its_own_speed():
    source = open_frames([image(number) for number in range(21)], fps=40, real_time=True)
    start = time.monotonic()
    came = {}
    for frame, _, due in source.walk(PLAN, PLAN.moments(1, None)):
        if due:
            came[frame.number] = time.monotonic() - start
    assert all(seconds >= number / 40 for number, seconds in came.items())
    assert max(came) >= 18 and source.num_read == 21


def test_a_video_without_a_rate():
    with pytest.raises(ValueError, match='the input has no frame rate, at which it would be played: give it'):
        open_frames([image(0)] * 9, real_time=True)


@pytest.fixture
def video(tmp_path):
    """Noise that moves, 20 frames a second, for 2 seconds."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    with video_file(tmp_path / 'a.mp4', 20) as written:
        for number in range(40):
            written.add(np.roll(noise, 2 * number, 1))
    return tmp_path / 'a.mp4'


def test_a_slow_forecaster_leaves_frames_out_and_says_what_it_did(video_config, video, tmp_path, monkeypatch):
    av = pytest.importorskip('av')
    quick = StreamingForecaster.forecast

    def slow(self):
        time.sleep(0.2)
        return quick(self)

    inferencer = ForecastInferencer(video_config, predictor='copy-last', show_progress=False)
    whole = inferencer(str(video), every=1)['predictions']
    monkeypatch.setattr(StreamingForecaster, 'forecast', slow)
    source = open_frames(str(video), real_time=True)
    out = inferencer(source, every=1, out_dir=tmp_path)
    made = {one['last_frame']: one for one in out['predictions']}
    assert 3 <= len(made) <= 11  # of 34; 2 seconds at 5 a second
    for one in whole:
        if one['last_frame'] in made:
            mine = made[one['last_frame']]
            assert np.array_equal(mine['rgb'], one['rgb'])
            assert mine['seconds'] == pytest.approx(one['seconds'])
    report = json.loads((tmp_path / 'a_forecast.json').read_text())
    rate = report['real_time']
    assert rate['num_forecasts'] == len(made) and rate['num_frames'] == report['video']['num_frames'] == 40
    assert rate['delay'] >= 0.2 and rate['longest_delay'] >= rate['delay']
    assert rate['seconds'] >= 0.2 * len(made) and source.rate.forecasts_per_second < 5
    with av.open(str(tmp_path / 'a_forecast.mp4')) as shown:
        times = [frame.time for frame in shown.decode(video=0)]
    lasts = np.array(sorted(made))
    assert times == pytest.approx((lasts - lasts[0]) / 20, abs=1e-3)  # as fast as the video


@pytest.mark.parametrize('every', [1, 4])
def test_ctrl_c_ends_a_camera_with_everything_written(video_config, tmp_path, every):
    pytest.importorskip('av')
    inferencer = ForecastInferencer(video_config, predictor='copy-last', show_progress=False)
    camera = 'testsrc=size=64x48:rate=50'  # without hardware, and without an end
    source = open_frames(camera, av_options=dict(format='lavfi'), real_time=True)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a shell
    try:
        threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
        out = inferencer(source, every=every, out_dir=tmp_path, formats=['json'])
    finally:
        signal.signal(signal.SIGINT, before)
    report = json.loads(next(tmp_path.glob('*.json')).read_text())
    lasts = [one['last_frame'] for one in report['forecasts']]
    assert len(lasts) == len(out['predictions']) == report['real_time']['num_forecasts'] >= 1
    assert report['video']['num_frames'] == source.num_read > lasts[-1]
    assert all((last - lasts[0]) % every == 0 for last in lasts)


def test_the_command(video, tmp_path, capsys):
    words = [
        'predict',
        str(video),
        '--baseline',
        'copy-last',
        '--realtime',
        '--stride',
        '2',
        '--formats',
        'json',
    ]
    assert main([*words, '--out', str(tmp_path / 'out')]) in (None, 0)
    printed = capsys.readouterr().out
    assert 'a.mp4: in real time, 20 per second; Ctrl-C ends it' in printed
    report = json.loads((tmp_path / 'out/a_forecast.json').read_text())
    rate = report['real_time']
    assert f'in real time: {rate["num_forecasts"]} forecasts of 40 frames, ' in printed
    assert [one['last_frame'] for one in report['forecasts']] == sorted(
        one['last_frame'] for one in report['forecasts']
    )
