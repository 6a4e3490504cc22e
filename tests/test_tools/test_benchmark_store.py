"""The benchmark of cached features reads every frame once, and the same bytes either way."""

import runpy
from pathlib import Path

import numpy as np

TOOL = runpy.run_path(str(Path(__file__).parents[2] / 'tools/analysis_tools/benchmark_store.py'))
SHAPE = (2, 3, 4)


def test_clips_hold_every_frame_once():
    sequences = [(name, [str(frame) for frame in range(30)]) for name in 'ab']
    clips = TOOL['random_clips'](sequences, seed=0)
    assert sorted((name, frame) for name, frames in clips for frame in frames) == [
        (name, frame) for name in 'ab' for frame in range(30)
    ]
    assert all(set(np.diff(frames)) == {3} and len(frames) == 5 for _, frames in clips)
    assert clips != TOOL['random_clips'](sequences, seed=1)


def test_both_ways_of_reading_give_the_stored_half_precision(tmp_path):
    sequences = TOOL['write_store'](str(tmp_path), SHAPE, 2)
    clips = TOOL['random_clips'](sequences, seed=0)
    folder = tmp_path / 'data/P5'
    assert all(path.stat().st_size == 128 + 30 * 2 * np.prod(SHAPE) for path in folder.glob('*.npy'))
    plain = list(TOOL['read_plain'](folder, SHAPE, clips))
    store = list(TOOL['read_store'](str(tmp_path), sequences[0][1], clips))
    assert {array.dtype for array in (*plain, *store)} == {np.dtype('<f2')}
    np.testing.assert_array_equal(plain, store)
    assert len(np.unique(plain)) > 500  # other frames, other values


def test_it_prints_a_table_for_either_state_of_the_cache(tmp_path, capsys):
    TOOL['main'](['--shape', '2', '3', '4', '--sequences', '1', '--rounds', '1', '--folder', str(tmp_path)])
    out = capsys.readouterr().out
    assert out.count('clips, LoadClipFeatures') == 2 and out.count('1.00 to 1.00') == 2
    assert list(tmp_path.iterdir()) == []
