"""What a pickle may hold, and that nothing else in it is ever called."""

import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from mmforecast.fileio.safe_pickle import PickleError, load_pickle


class Calls:
    """Pickled as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def write(path, value, protocol=2):
    path.write_bytes(pickle.dumps(value, protocol))
    return path


@pytest.mark.parametrize('protocol', [0, 1, 2, 3, 4])
def test_arrays_and_plain_containers_come_back(tmp_path, protocol):
    value = OrderedDict(
        a=np.random.rand(2, 3).astype(np.float32),
        b=np.asfortranarray(np.arange(6, dtype='>i4').reshape(2, 3)),
        c=[np.array(True), np.zeros((0, 4)), (None, 1.5, 'ä', {1, 2})],
        d=np.float64(0.1),
    )
    read = load_pickle(write(tmp_path / 'x.pkl', value, protocol))
    assert list(read) == list('abcd') and read['c'][2] == value['c'][2]
    for theirs, ours in zip([read['a'], read['b'], *read['c'][:2]], [value['a'], value['b']]):
        assert theirs.dtype == ours.dtype.newbyteorder('=')
        np.testing.assert_array_equal(theirs, ours)
    assert read['c'][1].shape == (0, 4) and bool(read['c'][0]) is True
    assert read['d'] == 0.1 and isinstance(read['d'], np.float64)


@pytest.mark.parametrize(
    'value, name',
    [
        (lambda mark: Calls(os.system, f'touch {mark}'), f'{os.system.__module__}.system'),
        (lambda mark: Calls(eval, f'open({str(mark)!r}, "w")'), 'eval'),
        (lambda mark: Calls(open, str(mark), 'w'), 'open'),
        (lambda mark: {'a': np.array([Calls(os.mkdir, str(mark))], dtype=object)}, 'only numbers'),
        (lambda mark: Calls(getattr, os, 'mkdir'), 'getattr'),
        (lambda mark: Calls(np.load, str(mark)), 'numpy.load'),
        (lambda mark: Calls(np.ndarray, (10**9,)), "'str' object is not callable"),
    ],
)
def test_nothing_else_is_called(tmp_path, value, name):
    mark = tmp_path / 'mark'
    try:
        path = write(tmp_path / 'x.pkl', value(mark))
    except TypeError:  # a module in the arguments, which can't be pickled
        path = tmp_path / 'x.pkl'
        path.write_bytes(b'cbuiltins\ngetattr\n(cos\nenviron\nVmkdir\ntR.')
    with pytest.raises(PickleError, match=name):
        load_pickle(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    'value, match',
    [
        (np.array(['a', None], dtype=object), "type 'O8', and only numbers"),
        (np.zeros(2, dtype=[('x', 'f4')]), "type 'V4', and only numbers"),
        (np.array(['text']), "type 'U4', and only numbers"),
    ],
)
def test_only_numbers_are_read(tmp_path, value, match):
    with pytest.raises(PickleError, match=match):
        load_pickle(write(tmp_path / 'x.pkl', value))


def test_an_array_has_the_bytes_of_its_shape(tmp_path):
    path = write(tmp_path / 'x.pkl', np.zeros(3, np.float32))
    path.write_bytes(path.read_bytes().replace(b'K\x03\x85', b'K\x7f\x85'))
    with pytest.raises(PickleError, match=r'12 bytes for an array of the shape \(127,\)'):
        load_pickle(path)


@pytest.mark.parametrize('content', [b'', b'no pickle', b'\x80\x02}q\x00('])
def test_broken_files_are_named(tmp_path, content):
    path = tmp_path / 'x.pkl'
    path.write_bytes(content)
    with pytest.raises(PickleError, match=r"x\.pkl can't be read as a pickle"):
        load_pickle(path)
