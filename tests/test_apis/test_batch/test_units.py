"""Units: their names, how long videos are split, and that a stretch gives what the video gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmforecast.apis import ForecastInferencer
from mmforecast.apis.batch.units import Shard, Unit, split_moments
from mmforecast.apis.inferencers.clips import ClipPlan, Moments, wanted_frames
from mmforecast.apis.inferencers.opening import open_frames
from mmforecast.apis.inferencers.read_ahead import read_ahead
from mmforecast.apis.inferencers.results import plain_forecast


def test_names_are_file_names_and_differ():
    videos = ['a b.mp4', 'a_b.mp4', 'x/a b.mp4', 'it\'s "größe".mp4', '日本.mp4', 'x' * 300, 'v\udcff.mp4']
    names = [Unit(video).name for video in videos]
    names += [Unit('a b.mp4', 0, 10).name, Unit('a b.mp4', 10, 20).name]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and len(name) < 100 and not set(name) & set(' /\\\'"*?[].') for name in names)
    assert Unit('./x/../a b.mp4', number=3).name == names[0]


@given(
    first=st.integers(0, 20),
    count=st.integers(1, 60),
    every=st.integers(1, 5),
    ahead=st.integers(0, 30),
    unit_frames=st.integers(1, 40),
    batch_size=st.integers(1, 4),
)
def test_stretches_cover_the_moments_in_whole_batches(first, count, every, ahead, unit_frames, batch_size):
    moments = range(first, first + (count - 1) * every + 1, every)
    num_frames = moments[-1] + 1
    stretches = split_moments(moments, num_frames, ahead, unit_frames, batch_size)
    parts = [[m for m in moments if start <= m < stop] for start, stop in stretches]
    assert [m for part in parts for m in part] == list(moments) and all(parts)
    assert all(part[0] == start for part, (start, _) in zip(parts, stretches))
    for part in parts[:-1]:
        assert len(part) % batch_size == 0
        assert part[-1] + ahead < num_frames
        assert len(part) == batch_size or len(part) * every <= max(unit_frames, every)


def test_stretches_by_hand():
    # of frames 9, 12, ... 27 of 30, the futures of 9, 12, 15, 18 and 21 are in the video
    moments = range(9, 30, 3)
    assert split_moments(moments, 30, 8, 6) == [(9, 15), (15, 21), (21, 28)]
    assert split_moments(moments, 30, 8, 6, batch_size=4) == [(9, 21), (21, 28)]
    assert split_moments(moments, 30, 8, 100) == [(9, 28)]


def test_shards_share_all_work():
    for spread in (False, True):
        shards = [Shard(index, 3, spread) for index in (1, 2, 3)]
        for video in range(5):
            for stretch in range(4):
                assert sum(shard.owns(video, stretch) for shard in shards) == 1
        assert len({shard.owns(0, stretch) for shard in shards[:1] for stretch in range(4)}) == 1 + spread
    assert Shard().owns(7, 5) and Shard().suffix == '' and Shard(2, 3).suffix == '-2-of-3'
    with pytest.raises(ValueError, match='index must be an integer from 1 to 3, got 4'):
        Shard(4, 3)


def forecasts_of(inferencer, frames, moments, streaming, batch_size, ahead=False):
    """Plain forecasts, as a unit makes them."""
    source = open_frames(frames)
    if not ahead:
        found = inferencer.runner.run(source, moments, streaming, batch_size)
        return [plain_forecast(forecast) for forecast in found]
    with read_ahead(source, wanted_frames(source, inferencer.plan, moments)) as reader:
        found = inferencer.runner.run(reader, moments, streaming, batch_size)
        return [plain_forecast(forecast) for forecast in found]


@pytest.mark.parametrize('streaming, batch_size', [(True, 1), (False, 3)])
def test_stretches_give_what_the_video_gives(video_config, moving_square, streaming, batch_size):
    """To the last bit, visibility and times too, for batches whose last clips lack their futures."""
    inferencer = ForecastInferencer(video_config, show_progress=False)
    frames = np.concatenate([moving_square, moving_square[::-1]])
    moments = inferencer.plan.moments(1, len(frames))
    whole = forecasts_of(inferencer, frames, moments, streaming, batch_size)
    plan = inferencer.plan
    stretches = split_moments(
        range(moments.first, moments.stop), len(frames), plan.horizon * plan.stride, 4, batch_size
    )
    assert len(stretches) > 2
    parts = []
    for start, stop in stretches:
        parts += forecasts_of(inferencer, frames, Moments(start, 1, stop), streaming, batch_size, ahead=True)
    assert len(parts) == len(whole) > 10
    for part, expected in zip(parts, whole):
        assert part.keys() == expected.keys()
        for key, value in expected.items():
            np.testing.assert_array_equal(part[key], value)


def test_reading_ahead_gives_the_frames_and_their_errors():
    class Source:
        num_frames, path, fps, times, name = 4, None, None, None, 'v'

        def read(self, numbers):
            if numbers == [2]:
                raise ValueError('frame 2 is damaged')
            return np.full((1, 2, 2, 3), numbers[0], np.uint8)

    plan = ClipPlan(1, 1, 1)
    with read_ahead(Source(), wanted_frames(Source(), plan, Moments(0, 1, 4))) as reader:
        assert reader.num_frames == 4
        assert [int(reader.read([number]).max()) for number in (0, 1)] == [0, 1]
        with pytest.raises(ValueError, match='frame 2 is damaged'):
            reader.read([2])
    with read_ahead(Source(), iter([0, 1])) as reader, pytest.raises(RuntimeError, match='frame 1 was asked'):
        reader.read([1])
