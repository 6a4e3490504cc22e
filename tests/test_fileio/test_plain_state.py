import enum
import io
import pathlib
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

from mmforecast.fileio.plain_state import from_plain, to_plain

Point = namedtuple('Point', 'x y')


class Color(enum.IntEnum):
    RED = 3


def through_file(value):
    """To plain, to a file that is read with torch's safe reader alone, and back."""
    left_out = []
    buffer = io.BytesIO()
    torch.save(to_plain(value, left_out, 'top'), buffer)
    buffer.seek(0)
    return from_plain(torch.load(buffer, weights_only=True)), left_out


@pytest.mark.parametrize(
    'value',
    [
        None,
        True,
        3,
        2.5,
        1j,
        'text',
        b'bytes',
        [1, [2, (3, 'x')]],
        {'a': {'b': [1]}, 2: None},
        {1, 2},
        OrderedDict(b=1, a=2),
        torch.Size([1, 2]),
        torch.float16,
    ],
)
def test_plain_values_stay_what_they_are(value):
    assert through_file(value) == (value, [])
    assert type(through_file(value)[0]) is type(value)


@pytest.mark.parametrize(
    'array',
    [
        np.arange(6).reshape(2, 3),
        np.array([0.1, np.nan]),
        np.array([True]),
        np.zeros((0, 2), np.float32),
        np.arange(6)[::-2],
    ],
)
def test_arrays_come_back(array):
    (back,), _ = through_file([array])
    assert isinstance(back, np.ndarray) and back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_log_history_comes_back():
    history = HistoryBuffer([1.0, 2.0, 4.0], [1, 1, 2], max_length=7)
    back, _ = through_file({'log': history})
    assert back['log'].max_length == 7
    for ours, theirs in zip(back['log'].data, history.data):
        assert ours.dtype == theirs.dtype and np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    'value, plain',
    [
        (np.float32(0.5), 0.5),
        (np.str_('a'), 'a'),
        (np.array(['a', 'b']), ['a', 'b']),
        (Point(1, 2), (1, 2)),
        (Color.RED, 3),
        (ConfigDict(a=dict(b=1)), {'a': {'b': 1}}),
        (pathlib.PurePosixPath('a/b'), 'a/b'),
        (frozenset([1]), {1}),
        ({np.int64(3): 1}, {3: 1}),
    ],
)
def test_others_become_what_they_stand_for(value, plain):
    back, left_out = through_file(value)
    assert back == plain and type(back) is type(plain) and left_out == []


def test_weights_are_not_copied():
    weight = torch.nn.Parameter(torch.ones(2))
    assert to_plain({'w': weight}, [])['w'] is weight


def test_what_cannot_be_plain_is_left_out_and_named():
    back, left_out = through_file({'writer': object(), 'pair': [1, object()], 'schedule': len, 'epoch': 3})
    assert back == {'pair': [1, None], 'epoch': 3}  # functions belong to their owner and go unnamed
    assert left_out == ['top.writer (object)', 'top.pair[1] (object)']
