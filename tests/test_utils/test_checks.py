"""Checks of arguments: values on both sides of every bound, and the whole sentence."""

import math
import re

import numpy as np
import pytest
import torch

from mmforecast.utils import checks

NUMBERS = [
    # check, bounds, accepted, refused, sentence of the first that is refused
    (checks.check_positive, (), [1, np.int64(3)], [0, -1, 1.0, True, '1', None], 'an integer >= 1, got 0'),
    (checks.check_integer, (-1,), [-1, 5], [-2, 0.5, False], 'an integer >= -1, got -2'),
    (checks.check_integer, (1, 3), [1, 3], [4, 0], 'an integer from 1 to 3, got 4'),
    (checks.check_multiple, (4,), [4, 8], [6, 0, -4, 4.0], 'a multiple of 4, got 6'),
    (checks.check_size, (), [(1, 2), [3, 4]], [(0, 2), (1, 2, 3), 5, (1.0, 2)], 'got (0, 2)'),
    (checks.check_size, (16,), [(16, 16)], [(16, 15)], 'two integers (height, width) >= 16, got (16, 15)'),
    (checks.check_choice, (('a', None),), ['a', None], ['b', 1], "one of 'a', None, got 'b'"),
    (checks.check_at_least, (0,), [0, 0.5], [-0.1, math.nan, '1', True], '0 or more, got -0.1'),
    (checks.check_above, (0,), [1e-9], [0, math.nan, None], 'above 0, got 0'),
    (checks.check_range, (0, 1), [0, 1], [1.1, -0.1, math.nan], 'lie in [0, 1], got 1.1'),
    (checks.check_between, (0, 1), [0.5], [0, 1, math.nan], 'lie in (0, 1), got 0'),
    (checks.check_fraction, (), [0, 0.99], [1, -0.1, math.nan], 'lie in [0, 1), got 1'),
    (checks.check_fraction, (0.5,), [0.49], [0.5], 'lie in [0, 0.5), got 0.5'),
    (checks.check_increasing, (), [(1, 1), [0, 2.5]], [(2, 1), (1,), 3, (0, math.nan)], 'got (2, 1)'),
    (checks.check_not_empty, (), [[0], {'a': 1}, np.zeros(2)], [[], '', np.zeros(0)], 'must not be empty'),
    (checks.check_not_empty, (2,), [[0, 1]], [[0]], 'have 2 or more items, got [0]'),
    (checks.check_keys, (('a', 'b'),), [{'a': 1}, [], ['b']], [{'c': 1, 'a': 2}], "['c']; known are 'a', 'b'"),
    (checks.check_shape, (('N', 3),), [torch.zeros(5, 3)], [np.zeros((5, 4)), None], 'shape (N, 3), N=5, got'),
    (checks.check_shape, ((2,),), [np.zeros(2)], [np.zeros((2, 1))], 'must have shape (2,), got (2, 1)'),
]


@pytest.mark.parametrize('check, bounds, accepted, refused, sentence', NUMBERS)
def test_bounds(check, bounds, accepted, refused, sentence):
    for value in accepted:
        check('Owner', *bounds, value=value)
    with pytest.raises(ValueError, match=f'^Owner: value .*{re.escape(sentence)}'):
        check('Owner', *bounds, value=refused[0])
    for value in refused[1:]:
        with pytest.raises(ValueError, match='^Owner: value '):
            check('Owner', *bounds, value=value)


def test_every_argument_is_checked_by_its_name():
    with pytest.raises(ValueError, match='^Owner: second must be an integer'):
        checks.check_positive('Owner', first=1, second=0)


def test_argument_names_of_the_checks_are_free():
    checks.check_at_least('Owner', 0, low=1, owner=2)
    with pytest.raises(ValueError, match='high must be'):
        checks.check_integer('Owner', 0, high=-1)


def test_two_underscores_name_a_key_of_a_dict():
    with pytest.raises(ValueError, match='^Owner: loss_config.weight must be above 0'):
        checks.check_above('Owner', 0, loss_config__weight=-1)


def test_letters_of_a_shape_are_the_same_in_all_arrays():
    checks.check_shape('Owner', ('N', 'D'), one=np.zeros((2, 4)), two=np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r'two must have shape \(N, D\), N=2, D=4, got \(3, 4\)'):
        checks.check_shape('Owner', ('N', 'D'), one=np.zeros((2, 4)), two=np.zeros((3, 4)))
    with pytest.raises(ValueError, match=r'square must have shape \(S, S\)'):
        checks.check_shape('Owner', ('S', 'S'), square=np.zeros((2, 3)))


def test_same_length():
    checks.check_same_length('Owner', one=[1], two='a')
    with pytest.raises(ValueError, match='one and two must have the same length, but one has 1, two has 2'):
        checks.check_same_length('Owner', one=[1], two='ab')
