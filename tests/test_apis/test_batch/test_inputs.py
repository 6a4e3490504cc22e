"""What a user names becomes a list of videos, each once."""

import os

import numpy as np
import pytest

from mmforecast.apis.batch.inputs import find_inputs
from mmforecast.fileio import write_png

ODD = ['a b.mp4', "it's.mp4", 'quote".mp4', 'größe 日.mp4', '[1].mp4', '#x.mp4']


@pytest.fixture
def drives(tmp_path, monkeypatch):
    """Files of odd names, a folder of frames, and what is no video; the current folder."""
    monkeypatch.chdir(tmp_path)
    os.makedirs('drives/frames')
    os.makedirs('drives/empty')
    for name in [*ODD, 'v2.mp4', 'v10.mp4', 'notes.txt', '.hidden.mp4']:
        (tmp_path / 'drives' / name).touch()
    write_png('drives/frames/0.png', np.zeros((4, 4), np.uint8))
    return tmp_path


def test_a_directory_is_all_videos_in_it(drives):
    found = find_inputs(['drives'])
    assert sorted(found) == sorted([f'drives/{name}' for name in [*ODD, 'v2.mp4', 'v10.mp4', 'frames']])
    assert found.index('drives/v2.mp4') < found.index('drives/v10.mp4')
    assert find_inputs(['drives/frames']) == ['drives/frames']


def test_patterns_take_videos_in_natural_order(drives):
    assert find_inputs(['drives/v*.mp4']) == ['drives/v2.mp4', 'drives/v10.mp4']
    assert 'drives/notes.txt' not in find_inputs(['drives/*'])
    assert 'drives/frames' in find_inputs(['drives/*'])
    assert set(find_inputs(['**/v*.mp4'])) == {'drives/v2.mp4', 'drives/v10.mp4'}
    # a name that is one of a file is none
    assert find_inputs(['drives/[1].mp4']) == ['drives/[1].mp4']
    with pytest.raises(FileNotFoundError, match=r'nothing matches drives/x\*'):
        find_inputs(['drives/x*'])


def test_lists_name_any_of_these(drives):
    (drives / 'list.txt').write_text('# ours\n\ndrives/a b.mp4\ndrives/v*.mp4\ndrives/frames\n')
    expected = ['drives/a b.mp4', 'drives/v2.mp4', 'drives/v10.mp4', 'drives/frames']
    assert find_inputs(['@list.txt']) == expected
    with pytest.raises(FileNotFoundError, match='there is no list of videos none.txt'):
        find_inputs(['@none.txt'])
    (drives / 'list.txt').write_text('# nothing\n')
    with pytest.raises(ValueError, match='none of the arguments names a video'):
        find_inputs(['@list.txt'])


def test_results_among_the_videos_are_no_inputs(drives):
    os.makedirs('drives/results/videos')
    (drives / 'drives/results/videos/v2.mp4').touch()
    (drives / 'drives/results.mp4').touch()
    found = find_inputs(['drives'], results='./drives/results')
    assert 'drives/results.mp4' in found and 'drives/results/videos/v2.mp4' not in found
    assert 'drives/results/videos/v2.mp4' in find_inputs(['drives'])


def test_each_is_there_once_and_what_is_missing_stays(drives):
    again = os.path.abspath('drives/v2.mp4')
    assert find_inputs(['drives/v2.mp4', again, './drives//v2.mp4', 'gone.mp4']) == [
        'drives/v2.mp4',
        'gone.mp4',
    ]
    assert find_inputs(['http://x/y.mp4', 'http://x/y.mp4']) == ['http://x/y.mp4']
