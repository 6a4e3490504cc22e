"""What must hold for any input: indices of clips, bounds and symmetries of metrics, parsers of any bytes.

`make test-all` tries far more inputs than `make test`, see the profiles in conftest.py.
"""

import io
import json
import pickle
import struct

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mmforecast.creative.datasets.idx_files import read_idx
from mmforecast.creative.datasets.image_list import read_image_list
from mmforecast.creative.evaluation import attribute_scores
from mmforecast.datasets import BaseSequenceDataset, Sequence
from mmforecast.datasets.image_files import BadImageError, claimed_size, decode_rgb
from mmforecast.datasets.representation_store import StoreError
from mmforecast.datasets.representation_store.files import index_line, read_index, read_manifest
from mmforecast.datasets.video import split_frame_path
from mmforecast.datasets.video.frame_names import natural_key
from mmforecast.datasets.video.listing import read_entries
from mmforecast.evaluation.functional import image_quality, instance_ap
from mmforecast.fileio import CheckpointError, load_checkpoint
from mmforecast.fileio.plain_state import from_plain, to_plain
from mmforecast.fileio.safe_pickle import PickleError, load_pickle
from mmforecast.weight_conversion import bbox_reg_weights, f2f_to_neck, read_detectron

# One folder for all examples: each writes its file anew.
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


class Made(BaseSequenceDataset):
    """Sequences of given lengths; every frame's path is its number."""

    METAINFO = dict(fps=None)

    def __init__(self, lengths, annotated, **options):
        self.lengths, self.annotated = lengths, annotated
        super().__init__(data_root='', **options)

    def load_sequences(self):
        return [
            Sequence(
                id=f's{number}',
                frame_names=[str(frame) for frame in range(length)],
                image_paths=[str(frame) for frame in range(length)],
                annotated_index=self.annotated if self.annotated < length else None,
            )
            for number, length in enumerate(self.lengths)
        ]


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=3),
    annotated=st.integers(0, 39),
    num_past=st.integers(1, 6),
    num_future=st.integers(0, 6),
    low=st.integers(1, 4),
    more=st.integers(0, 3),
    anchor=st.one_of(st.none(), st.just('annotated'), st.integers(0, 40)),
    anchor_step=st.integers(-7, 6),
    clip_step=st.integers(1, 5),
)
def test_every_clip_lies_in_its_sequence(
    lengths, annotated, num_past, num_future, low, more, anchor, anchor_step, clip_step
):
    try:
        data = Made(
            lengths,
            annotated,
            num_past=num_past,
            num_future=num_future,
            stride=(low, low + more),
            anchor=anchor,
            anchor_step=anchor_step,
            clip_step=clip_step,
        )
    except ValueError as error:
        steps = 'anchor_step must be' in str(error)
        assert steps == (not -max(num_future, 1) <= anchor_step < max(num_future, 0))
        if not steps:  # whatever the anchor, a clip of the smallest stride is as long as this
            assert 'no clip fits' in str(error)
            span = (num_past + num_future - 1) * low + 1
            assert anchor is not None or span > max(lengths)
        return
    seen = set()
    for number in range(len(data)):
        for info in (data.get_data_info(number), data[number]):
            frames, stride = info['frame_indices'], info['stride']
            length = lengths[int(info['sequence_id'][1:])]
            assert len(frames) == num_past + num_future and low <= stride <= low + more
            assert 0 <= frames[0] and frames[-1] < length
            assert all(b - a == stride for a, b in zip(frames, frames[1:]))
            assert info['img_paths'] == [str(frame) for frame in frames]
            if anchor is not None:
                wanted = annotated if anchor == 'annotated' else anchor
                future = frames[num_past:] if num_future else frames[-1:]
                assert future[anchor_step] == wanted
        seen.add((info['sequence_id'], data.get_data_info(number)['frame_indices'][0]))
    assert len(seen) == len(data)  # no clip twice


frames = arrays.arrays(np.uint8, (3, 12, 13))


@given(frames, frames, st.permutations([0, 1, 2]))
def test_image_scores(one, other, channels):
    psnr, ssim = image_quality.psnr(one, other), image_quality.ssim(one, other)
    assert psnr >= 0 and -1 - 1e-9 <= ssim <= 1 + 1e-9
    assert (psnr == np.inf) == (one == other).all()
    assert image_quality.psnr(other, one) == psnr
    assert image_quality.ssim(other, one) == pytest.approx(ssim, abs=1e-9)
    assert image_quality.ssim(one, one) == pytest.approx(1)
    turned = [frame[channels][:, ::-1] for frame in (one, other)]
    assert image_quality.psnr(*turned) == pytest.approx(psnr)
    assert image_quality.ssim(*turned) == pytest.approx(ssim, abs=1e-9)


@st.composite
def scored_frames(draw):
    """Some frames of 8x8: objects of two classes in columns, and predictions of any columns."""
    found = []
    for _ in range(draw(st.integers(1, 4))):
        ids = draw(st.lists(st.sampled_from([0, 24001, 24002, 26001, 7]), min_size=8, max_size=8))
        id_map = np.repeat(np.array([ids]), 8, axis=0)
        number = draw(st.integers(0, 4))
        masks = draw(arrays.arrays(bool, (number, 8)))
        labels = draw(st.lists(st.sampled_from([0, 2]), min_size=number, max_size=number))
        scores = draw(st.lists(st.integers(0, 1000), min_size=number, max_size=number, unique=True))
        found.append((labels, scores, np.repeat(masks[:, None], 8, axis=1), id_map))
    return found


def matches(frames):
    return [
        instance_ap.match_instances(np.array(labels, int), np.array(scores, float), masks, ids, 1)
        for labels, scores, masks, ids in frames
    ]


@given(scored_frames(), st.randoms(use_true_random=False))
def test_average_precision(frames, random):
    scores = [score for _, of_frame, *_ in frames for score in of_frame]
    assume(len(set(scores)) == len(scores))  # equal ones have no order
    ap = instance_ap.average_precision(matches(frames))
    known = ap[np.isfinite(ap)]
    assert ((known >= 0) & (known <= 100)).all()
    assert all((np.diff(row) <= 1e-9).all() for row in ap if np.isfinite(row).all())
    shuffled = random.sample(frames, len(frames))
    np.testing.assert_allclose(instance_ap.average_precision(matches(shuffled)), ap)
    scaled = [(label, [2.0 * s + 3 for s in score], m, i) for label, score, m, i in frames]
    np.testing.assert_allclose(instance_ap.average_precision(matches(scaled)), ap)


@given(
    arrays.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.floats(0, 9)),
    st.randoms(use_true_random=False),
)
def test_scores_of_classifiers(weights, random):
    assume((weights.sum(1) > 1e-3).all())
    p = weights / weights.sum(1, keepdims=True)
    score = attribute_scores.attribute_score(p)
    assert 1 - 1e-9 <= score <= p.shape[1] + 1e-9
    rows = random.sample(range(len(p)), len(p))
    columns = random.sample(range(p.shape[1]), p.shape[1])
    assert attribute_scores.attribute_score(p[rows][:, columns]) == pytest.approx(score)
    confusion = attribute_scores.confusion(p)
    assert ((confusion >= -1e-9) & (confusion <= 1 + 1e-9)).all()
    assert attribute_scores.am_score(p, p) == pytest.approx(attribute_scores.am_score(p[rows], p))
    assert attribute_scores.am_score(p, p) >= -1e-9


def cut_and_changed(data):
    """Bytes that begin like a real file."""
    change = st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255))

    def spoil(case):
        length, changes = case
        spoilt = bytearray(data)
        for place, value in changes:
            spoilt[place] = value
        return bytes(spoilt[:length])

    return st.tuples(st.integers(0, len(data)), st.lists(change, max_size=4)).map(spoil)


def torch_file(**options):
    buffer = io.BytesIO()
    torch.save(dict(state_dict=dict(w=torch.zeros(3)), meta=dict(epoch=1)), buffer, **options)
    return buffer.getvalue()


PICKLED = pickle.dumps(dict(blobs=dict(a=np.zeros(3, np.float32)), cfg='MODEL: 1'), protocol=2)


@same_folder
@given(st.one_of(st.binary(max_size=200), cut_and_changed(PICKLED)))
def test_pickles_of_any_bytes(tmp_path, data):
    (tmp_path / 'x.pkl').write_bytes(data)
    for read, errors in ((load_pickle, PickleError), (read_detectron, ValueError)):
        try:
            read(tmp_path / 'x.pkl')
        except errors as error:
            assert 'x.pkl' in str(error)


@same_folder
@given(
    st.one_of(
        st.binary(max_size=200),
        cut_and_changed(torch_file()),
        cut_and_changed(torch_file(_use_new_zipfile_serialization=False)),
    )
)
def test_checkpoints_of_any_bytes(tmp_path, data):
    (tmp_path / 'x.pth').write_bytes(data)
    try:
        load_checkpoint(str(tmp_path / 'x.pth'), 'cpu')
    except CheckpointError as error:
        assert 'x.pth' in str(error)


names = st.from_regex(r'([a-z]{0,3}\.)?conv[0-9]\.(weight|bias)', fullmatch=True)
tensors = arrays.arrays(np.float32, arrays.array_shapes(min_dims=0, max_side=3)).map(torch.from_numpy)


@given(st.dictionaries(names, tensors, max_size=4))
def test_networks_of_any_shape(state):
    with pytest.raises(ValueError):
        f2f_to_neck(state)


@given(st.one_of(st.none(), st.text(), st.text().map('MODEL:\n  BBOX_REG_WEIGHTS: {}'.format)))
def test_configs_of_any_text(text):
    try:
        weights = bbox_reg_weights(text)
    except ValueError as error:
        assert 'BBOX_REG_WEIGHTS' in str(error)
    else:
        assert len(weights) == 4 and min(weights) > 0


def png():
    from PIL import Image

    buffer = io.BytesIO()
    Image.new('RGB', (5, 4), 'red').save(buffer, 'PNG')
    return buffer.getvalue()


@given(st.one_of(st.binary(max_size=100), cut_and_changed(png())))
def test_images_of_any_bytes(data):
    size = claimed_size(data)
    assert size is None or min(size) >= 0
    try:
        image = decode_rgb(data, 'x.png')
    except BadImageError as error:
        assert 'x.png' in str(error)
    else:
        assert image.dtype == np.uint8 and image.shape[2] == 3


rows = st.lists(st.text(max_size=12), max_size=5).map('\n'.join)
lists = st.one_of(
    st.binary(max_size=80),
    rows.map(str.encode),
    rows.map(lambda text: f'img_path,shape\n{text}'.encode()),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(lambda value: json.dumps(value).encode()),
)


@same_folder
@given(lists)
def test_lists_of_any_bytes(tmp_path, data):
    for suffix in ('csv', 'json'):
        (tmp_path / f'x.{suffix}').write_bytes(data)
        try:
            found = read_image_list(str(tmp_path / f'x.{suffix}'))
        except ValueError as error:
            assert f'x.{suffix}' in str(error)
        else:
            assert all(row.img_path for row in found.rows)
    try:
        entries = read_entries(str(tmp_path), str(tmp_path / 'x.csv'))
    except ValueError as error:
        assert 'x.csv' in str(error)
    else:
        assert len({entry.sequence_id for entry in entries}) == len(entries)


@same_folder
@given(lists)
def test_stores_of_any_bytes(tmp_path, data):
    for name, read in (('manifest.json', read_manifest), ('index.jsonl', read_index)):
        (tmp_path / name).write_bytes(data + b'\n')
        try:
            read(str(tmp_path))
        except StoreError as error:
            assert name in str(error)


@same_folder
@given(st.text(), st.lists(st.text(), min_size=1))
def test_an_index_comes_back(tmp_path, sequence, frames):
    line = index_line('P5', sequence, frames)
    (tmp_path / 'index.jsonl').write_text(line + line[:-1], encoding='utf-8')  # the second is cut short
    assert read_index(str(tmp_path)) == {('P5', sequence): frames}


@same_folder
@given(st.one_of(st.binary(max_size=60), st.tuples(*[st.integers(0, 2**32 - 1)] * 3).map(
    lambda shape: b'\0\0\x08\x03' + struct.pack('>3I', *shape) + bytes(16))))  # fmt: skip
def test_idx_files_of_any_bytes(tmp_path, data):
    (tmp_path / 'x').write_bytes(data)
    try:
        read_idx(str(tmp_path / 'x'), 3)
    except ValueError as error:
        assert str(tmp_path / 'x') in str(error)


@given(st.lists(st.text(alphabet='ab09.', max_size=6)))
def test_natural_order_is_one(words):
    assert sorted(reversed(sorted(words, key=natural_key)), key=natural_key) == sorted(words, key=natural_key)


@given(st.text(), st.integers(0, 10**9))
def test_paths_of_frames_come_back(stem, number):
    path = f'a{stem}.mp4'
    assert split_frame_path(f'{path}#{number}') == (path, number)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner),
)


@given(plain, arrays.arrays(np.float32, 3, elements=st.floats(0, 1, width=32)))
def test_plain_states_come_back(value, array):
    left_out = []
    state = from_plain(to_plain(dict(value=value, array=array), left_out))
    assert state['value'] == value and not left_out
    np.testing.assert_array_equal(state['array'], array)
