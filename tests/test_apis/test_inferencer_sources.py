"""What is read, kept and counted of a video: no more than forecasts need, and nothing of it is overwritten."""

from fractions import Fraction

import numpy as np
import pytest

from mmforecast.apis import ForecastInferencer
from mmforecast.apis.inferencers import open_frames
from mmforecast.apis.inferencers.clips import ClipPlan, Moments, walk
from mmforecast.apis.inferencers.sources import ArrayFrames, FileFrames


def quiet(*args, **kwargs):
    return ForecastInferencer(*args, show_progress=False, **kwargs)


class Counted(ArrayFrames):
    """An array that notes which of its frames are read."""

    def __init__(self, frames, **settings):
        super().__init__(frames, **settings)
        self.numbers = []

    def read(self, numbers):
        self.numbers += numbers
        return super().read(numbers)


def reused(frames):
    """A camera that fills one buffer again and again, and clears it at the end."""
    buffer = np.empty_like(frames[0])
    for frame in frames:
        buffer[:] = frame
        yield buffer
    buffer[:] = 0


@pytest.mark.parametrize('settings', [dict(), dict(every=1), dict(every=5), dict(every=2, keep_pixels=True)])
def test_a_buffer_may_be_used_again(settings, video_config, moving_square):
    inferencer = quiet(video_config)
    mine = inferencer(reused(moving_square), **settings)['predictions']
    other = inferencer(moving_square, **settings)['predictions']
    assert len(mine) == len(other) >= 1
    for one, two in zip(mine, other, strict=True):
        assert np.array_equal(one['rgb'], two['rgb'])


@pytest.mark.parametrize('wait', [False, True])
def test_frames_of_a_streamed_forecast_are_its_own(wait, video_config, moving_square):
    inferencer = quiet(video_config)
    mine = list(inferencer.stream(reused(moving_square), every=3, wait=wait))
    other = list(inferencer.stream(moving_square, every=3, wait=wait))
    assert len(mine) == len(other) == 2
    for one, two in zip(mine, other, strict=True):
        assert np.array_equal(one.frames, two.frames)


def test_frames_that_are_not_kept_are_not_copied(video_config, moving_square, monkeypatch):
    copied = []
    from mmforecast.apis.inferencers import runner

    copy = runner._copied
    monkeypatch.setattr(runner, '_copied', lambda frame: copied.append(frame.number) or copy(frame))
    frames = (moving_square[number % 12] for number in range(120))
    quiet(video_config)(frames, every=50)  # at frames 6, 56 and 106, from four frames two apart
    assert copied == [start + 2 * step for start in (0, 50, 100) for step in range(6)]


@pytest.mark.parametrize('every', [1, 2, 3, 7, 40])
@pytest.mark.parametrize('kind', ['array', 'iterator'])
def test_each_frame_is_read_and_encoded_once_and_no_other(every, kind, video_config, moving_square):
    frames = moving_square[np.arange(100) % 12]
    inferencer = quiet(video_config)
    encoded = []
    encode = inferencer.model.encoder.encode
    inferencer.model.encoder.encode = lambda *args: encoded.append(args[0].shape[:2]) or encode(*args)
    source = Counted(frames) if kind == 'array' else iter(frames)
    out = inferencer(source, every=every)['predictions']
    lasts = [forecast['last_frame'] for forecast in out]
    assert lasts == list(range(6, 100, every))
    past = {last - 2 * step for last in lasts for step in range(4)}
    future = {last + 2 * step for last in lasts for step in (1, 2)} & set(range(100))
    if kind == 'array':
        assert encoded == [(1, 1)] * len(past) and source.numbers == sorted(past | future)
    else:  # nobody knows that the last ones are of no use
        assert len(past) <= len(encoded) <= len(past) + 6


@pytest.mark.parametrize('every', [1, 3, 40])
def test_batches_read_each_frame_once_too(every, video_config, moving_square):
    source = Counted(moving_square[np.arange(60) % 12])
    inferencer = quiet(video_config)
    mine = inferencer(source, every=every, streaming=False, batch_size=4)['predictions']
    assert source.numbers == sorted(set(source.numbers))
    other = inferencer(source, every=every)['predictions']
    for one, two in zip(mine, other, strict=True):
        assert one['frames'] == two['frames'] and np.array_equal(one['rgb'], two['rgb'])


def test_one_forecast_reads_its_own_frames(video_config, moving_square):
    source = Counted(moving_square)
    quiet(video_config)(source, at=7)
    assert source.numbers == [1, 3, 5, 7, 9, 11]


def test_the_walk():
    plan = ClipPlan(num_past=2, horizon=1, stride=3)
    source = Counted(np.zeros((20, 2, 2, 3), np.uint8))
    found = [(frame.number, past, due) for frame, past, due in walk(source, plan, 8)]
    assert found == [
        *((0, True, False), (3, True, True), (6, False, False)),
        *((8, True, False), (11, True, True), (14, False, False)),
        *((16, True, False), (19, True, True)),
    ]
    moments = plan.moments(8, 20)
    assert [number for number in range(30) if number in moments] == [3, 11, 19]
    assert len(moments) == 3 and moments.last == 19 and plan.moments(8, None).last is None
    assert len(plan.moments(8, 20, whole=True)) == 2
    assert [number for number in range(30) if number in Moments(4)] == [4]


@pytest.mark.parametrize('fps', [Fraction(30000, 1001), np.float32(25), np.int64(25), np.array(25.0), 25])
def test_rates_of_any_number_type(fps, moving_square):
    source = open_frames(moving_square, fps)
    assert type(source.fps) is float and source.fps == pytest.approx(float(fps))


@pytest.mark.parametrize('fps', [0, -25, float('nan'), float('inf'), Fraction(0), True, '25', np.array([25])])
def test_rates_that_are_none(fps, moving_square):
    with pytest.raises(ValueError, match='fps must be a finite number above 0, or None, got'):
        open_frames(moving_square, fps)


def test_integers_of_any_type(video_config, moving_square, tmp_path):
    inferencer = quiet(video_config, stride=np.int64(1), horizon=np.uint8(2), scale=np.array([64, 40]))
    out = inferencer(moving_square, at=np.int16(7), out_dir=tmp_path, batch_size=np.int64(1))
    assert out['predictions'][0]['frames'] == [8, 9] and len(out['files']) == 4
    assert len(inferencer(moving_square, every=np.int64(4))['predictions']) == 3
    for name, value in (('at', 7.0), ('at', True), ('every', 2.5), ('every', np.bool_(True)), ('at', '7')):
        with pytest.raises(ValueError, match=f'{name} must be an integer'):
            inferencer(moving_square, **{name: value})


def test_the_first_frames_of_a_video(video_config, moving_square):
    taken = []
    frames = (taken.append(number) or frame for number, frame in enumerate(moving_square))
    inferencer = quiet(video_config)
    for inputs in (moving_square, list(moving_square), frames):
        source = open_frames(inputs, max_frames=9)
        assert inferencer(source)['predictions'][0]['last_frame'] == 8
    assert taken == list(range(9))  # not one more
    with pytest.raises(ValueError, match='give fps and max_frames where it is opened'):
        open_frames(source, fps=3)


class Paced:
    """Frames of a file whose rate varies."""

    names = paths = range(12)
    fps = 5.0

    def __len__(self):
        return 12


@pytest.mark.parametrize('settings', [dict(at=8), dict(every=2), dict(every=2, streaming=False)])
def test_times_of_a_variable_rate(settings, video_config, moving_square, tmp_path):
    """Five frames at ten a second, then one a second."""
    times = [*(0.1 * number for number in range(5)), *range(1, 8)]
    paced = Paced()
    paced.times = times
    source = FileFrames('slow.mp4', paced)
    source.read = ArrayFrames(moving_square).read
    inferencer = quiet(video_config)
    out = inferencer(source, out_dir=tmp_path, formats='json', **settings)['predictions']
    found = {forecast['last_frame']: forecast for forecast in out}
    assert found[8]['time'] == 4 and found[8]['seconds'] == [2, pytest.approx(2 + (4 - 0.2) / 6 * 2, abs=1e-3)]
    assert FileFrames('slow.mp4', paced, fps=25).times is None  # what the user says holds


def test_a_stream_knows_the_times_of_its_frames(video_config, moving_square):
    forecasts = list(quiet(video_config).stream(iter(moving_square), every=2, fps=4))
    assert [forecast.time for forecast in forecasts] == [1.5, 2, 2.5]
    assert forecasts[0].seconds == pytest.approx([0.5, 1])
    forecasts = list(quiet(video_config).stream(iter(moving_square), every=2))
    assert forecasts[0].time is None and forecasts[0].seconds == [None, None]
