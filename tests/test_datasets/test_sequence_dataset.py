"""Which frames a clip takes, and what the dataset does where none fits."""

import copy
import logging
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmengine.logging import MMLogger

from mmforecast.datasets import BaseSequenceDataset, CorruptFrameError, Sequence
from mmforecast.datasets.clip_layout import ClipLayout


class Recorded(BaseSequenceDataset):
    """Sequences of given lengths, with made-up paths; the annotated frame is number 19."""

    METAINFO = dict(fps=17.0)

    def __init__(self, lengths=(30,), annotated=19, **kwargs):
        self.lengths = lengths
        self.annotated = annotated
        super().__init__(data_root='', **kwargs)

    def load_sequences(self):
        return [
            Sequence(
                id=f's{number}',
                frame_names=[f's{number}_{frame}' for frame in range(length)],
                image_paths=[f's{number}/{frame}.png' for frame in range(length)],
                annotated_index=self.annotated if self.annotated < length else None,
            )
            for number, length in enumerate(self.lengths)
        ]


@pytest.fixture
def log(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.WARNING)
    yield caplog
    logger.removeHandler(caplog.handler)


layouts = st.integers(1, 6).flatmap(
    lambda past: st.integers(0, 6).flatmap(
        lambda future: st.integers(-max(future, 1), max(future - 1, -1)).map(
            lambda step: ClipLayout(past, future, step)
        )
    )
)


@given(layouts, st.integers(1, 7), st.integers(0, 60))
def test_layout_indices(layout, stride, anchor):
    indices = layout.indices(anchor, stride)
    assert len(indices) == layout.num_past + layout.num_future
    assert all(b - a == stride for a, b in zip(indices, indices[1:]))
    step = layout.anchor_step
    if layout.num_future:
        assert indices[layout.num_past :][step] == anchor
    else:
        assert indices[-1] == anchor


@given(layouts, st.integers(1, 7), st.integers(0, 60), st.integers(0, 60))
def test_layout_fits_is_inside(layout, stride, anchor, length):
    inside = all(0 <= frame < length for frame in layout.indices(anchor, stride))
    assert layout.fits(anchor, stride, length) == inside


@given(layouts, st.integers(1, 7), st.integers(0, 60), st.integers(1, 5))
def test_sliding_anchors_are_all_that_fit(layout, stride, length, clip_step):
    anchors = layout.sliding_anchors(length, stride, clip_step)
    firsts = [
        first for first in range(0, length, clip_step) if first + (layout.num_frames - 1) * stride < length
    ]
    assert [layout.indices(anchor, stride)[0] for anchor in anchors] == firsts


@pytest.mark.parametrize(
    'past, future, step, name',
    [(0, 1, -1, 'num_past'), (1.5, 1, -1, 'num_past'), (1, -1, -1, 'num_future'), (1, 0.5, -1, 'num_future')]
    + [
        (2, 3, 3, 'anchor_step'),
        (2, 3, -4, 'anchor_step'),
        (2, 0, 0, 'anchor_step'),
        (2, 0, -2, 'anchor_step'),
    ],
)
def test_layout_refuses(past, future, step, name):
    with pytest.raises(ValueError, match=name):
        ClipLayout(past, future, step)


@pytest.mark.parametrize(
    'options, frames',
    [
        # Mid and short term of the literature: 1-based 2,5,8,11 -> 14,17,20 and 8,11,14,17 -> 20.
        (dict(), [1, 4, 7, 10, 13, 16, 19]),
        (dict(num_future=1), [7, 10, 13, 16, 19]),
        # The annotated frame as the first of three targets.
        (dict(anchor_step=0), [7, 10, 13, 16, 19, 22, 25]),
        (dict(num_future=0), [10, 13, 16, 19]),
        (dict(anchor=29, stride=1), [23, 24, 25, 26, 27, 28, 29]),
    ],
)
def test_anchored_clip(options, frames):
    dataset = Recorded((30, 30), **options)
    assert len(dataset) == 2
    info = dataset.get_data_info(1)
    assert info['frame_indices'] == frames
    assert info['frame_names'] == [f's1_{frame}' for frame in frames]
    assert info['img_paths'] == [f's1/{frame}.png' for frame in frames]
    assert info['seg_map_paths'] == info['instance_paths'] == [None] * len(frames)
    assert (info['sequence_id'], info['fps'], info['label_map']) == ('s1', 17.0, None)
    assert info['num_past'] + info['num_future'] == len(frames)


def test_sliding_window():
    dataset = Recorded((20, 21), anchor=None, clip_step=1)
    # A clip spans 6 * 3 + 1 = 19 frames: 2 fit in the first sequence and 3 in the second.
    firsts = [dataset[i]['frame_indices'][0] for i in range(len(dataset))]
    assert firsts == [0, 1, 0, 1, 2]
    assert [dataset[i]['sequence_id'] for i in range(5)] == ['s0', 's0', 's1', 's1', 's1']
    assert len(Recorded((20, 21), anchor=None, clip_step=2)) == 3


def test_too_short_sequences_are_left_out_with_the_count(log):
    dataset = Recorded((30, 10, 30, 5, 6, 7))
    assert len(dataset) == 2
    assert len(dataset.sequences) == 6
    messages = [record.getMessage() for record in log.records]
    assert len(messages) == 1
    assert 'left out 4 of 6 sequences' in messages[0]
    assert 's1 (10 frames), s3 (5 frames), s4 (6 frames), ...' in messages[0]


def test_nothing_left():
    with pytest.raises(ValueError, match='stride=3 needs 19 frames up to the annotated') as error:
        Recorded((12, 10), annotated=9)
    assert 'the longest of 2 sequences, s0, has 12' in str(error.value)
    assert 'no more than 10' in str(error.value)
    with pytest.raises(ValueError, match='needs 25 frames, but the longest of 1.* has 24'):
        Recorded((24,), anchor=None, num_future=5)
    with pytest.raises(ValueError, match='none has an annotated frame'):
        Recorded((12,))
    with pytest.raises(ValueError, match='no sequence was found'):
        Recorded(())


@pytest.mark.parametrize(
    'options',
    [
        dict(stride=0),
        dict(stride=(3, 2)),
        dict(stride=(1, 3), test_mode=True),
        dict(anchor='last'),
        dict(anchor=-1),
        dict(clip_step=0),
        dict(on_corrupt='ignore'),
        dict(on_corrupt='skip', test_mode=True),
    ],
)
def test_refuses_arguments(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Recorded(**options)


def test_random_stride():
    dataset = Recorded((30,), stride=(1, 5))
    np.random.seed(0)
    clips = [dataset[0] for _ in range(60)]
    # Stride 4 would need frame 19 - 6 * 4 < 0.
    assert {clip['stride'] for clip in clips} == {1, 2, 3}
    for clip in clips:
        assert clip['frame_indices'][-1] == 19
        assert set(np.diff(clip['frame_indices'])) == {clip['stride']}
    np.random.seed(0)
    assert [dataset[0]['stride'] for _ in range(60)] == [clip['stride'] for clip in clips]
    assert dataset.get_data_info(0)['stride'] == 1


def test_fixed_stride_draws_nothing():
    dataset = Recorded((30,))
    before = np.random.get_state()[1:3]
    dataset[0]
    after = np.random.get_state()[1:3]
    np.testing.assert_equal(after, before)


def test_frames_in_use():
    dataset = Recorded((30, 10, 30), num_future=1)
    used = dataset.frames_in_use()
    assert [(sequence.id, frames) for sequence, frames in used] == [
        ('s0', [7, 10, 13, 16, 19]),
        ('s2', [7, 10, 13, 16, 19]),
    ]
    [(_, frames)] = Recorded((30,), anchor=None).frames_in_use()
    assert frames == list(range(30))


def test_mmengine_dataset_functions():
    whole = Recorded((30,) * 5)
    assert len(Recorded((30,) * 5, indices=2)) == 2
    assert [whole.get_subset([3, 1])[i]['sequence_id'] for i in (0, 1)] == ['s3', 's1']
    plain = Recorded((30,) * 5, serialize_data=False)
    assert [plain[i] for i in range(5)] == [whole[i] for i in range(5)]
    lazy = Recorded((30,) * 5, lazy_init=True)
    assert lazy.fps == 17.0
    assert lazy[4] == whole[4]
    assert pickle.loads(pickle.dumps(whole))[4] == copy.deepcopy(whole)[4] == whole[4]


def corrupt_in_s1(results):
    if results['sequence_id'] == 's1':
        raise CorruptFrameError('bad.png of sequence s1 is truncated.', 'bad.png')
    return results


def test_corrupt_clip_is_replaced_and_logged_once(log):
    dataset = Recorded((30, 30), pipeline=[corrupt_in_s1])
    assert [dataset[1]['sequence_id'] for _ in range(5)] == ['s0'] * 5
    assert dataset.corrupt_files == {'bad.png'}
    assert len(log.records) == 1
    assert 'bad.png of sequence s1' in log.text


@pytest.mark.parametrize('options', [dict(test_mode=True), dict(on_corrupt='raise')])
def test_corrupt_clip_raises(options):
    dataset = Recorded((30, 30), pipeline=[corrupt_in_s1], **options)
    assert dataset[0]['sequence_id'] == 's0'
    with pytest.raises(CorruptFrameError, match=r'bad\.png of sequence s1'):
        dataset[1]


def test_load_sequences_is_required():
    with pytest.raises(NotImplementedError, match='load_sequences'):
        BaseSequenceDataset('')
