import numpy as np
import pytest
import torch

from mmforecast.apis.extract import extract_representations
from mmforecast.datasets import (
    CityscapesSequenceDataset,
    CorruptFrameError,
    RepresentationStore,
    StoreError,
    StoreWriter,
)
from mmforecast.fileio.fingerprint import weights_fingerprint
from mmforecast.models.encoders import BaseEncoder, LabelMapEncoder, RGBEncoder


class PooledColors(BaseEncoder):
    """Three channels that tell the frame: pooled RGB, times a weight."""

    channels = 3
    from_rgb = True
    level_names = ('scores',)
    kernels = (8,)

    def __init__(self, weight=1.0):
        super().__init__()
        self.network = torch.nn.Linear(1, 1)
        self.network.requires_grad_(False)
        self.network.weight.fill_(weight)
        self.network.bias.zero_()
        self.frames_seen = 0

    def encode(self, frames, samples):
        self.frames_seen += frames.shape[1]
        frames = frames.flatten(0, 1) / 255 * self.network.weight
        pool = torch.nn.functional.avg_pool2d
        return [pool(frames, kernel)[None] for kernel in self.kernels]


class PooledPyramid(PooledColors):
    level_names = ('P2', 'P3')
    kernels = (4, 8)


def dataset(root, **kwargs):
    return CityscapesSequenceDataset(data_root=str(root), split='val', **kwargs)


def read(store, level, sequence, frames=slice(None)):
    """Of the frames of the default clip, 7 at stride 3 up to the annotated one."""
    names = [sequence.frame_names[p] for p in range(1, 20, 3)]
    return store.read(level, sequence.id, names[frames])


def test_scores_come_back_through_the_pipeline(street_root, tmp_path):
    encoder = PooledColors()
    report = extract_representations(encoder, dataset(street_root), str(tmp_path / 's'), 'pooled', chunk=3)
    assert (report['written'], report['kept'], report['corrupt']) == (2, 0, [])
    assert report['bytes'] == dict(scores=2 * 7 * 3 * 8 * 16 * 2)
    assert encoder.frames_seen == 2 * 7 + 1  # one frame for the shapes
    data = dataset(
        street_root,
        pipeline=[
            dict(type='LoadClipFrames'),
            dict(type='LoadClipScores', store=str(tmp_path / 's')),
            dict(type='PackForecastInputs'),
        ],
    )
    for item in data:
        (direct,) = encoder.encode(item['inputs'][None].float(), [])
        assert torch.equal(item['data_samples'].scores, direct[0].half())


def test_pyramid_comes_back_through_the_pipeline(street_root, tmp_path):
    encoder, root = PooledPyramid(), str(tmp_path / 's')
    extract_representations(encoder, dataset(street_root), root, 'pooled')
    steps = [dict(type='LoadClipFrames'), dict(type='LoadClipFeatures', store=root)]
    for item in dataset(street_root, pipeline=[*steps, dict(type='PackForecastInputs')]):
        sample = item['data_samples']
        assert sample.feature_source == weights_fingerprint(encoder.network)
        assert sample.feature_levels == ('P2', 'P3')
        direct = encoder.encode(item['inputs'][None].float(), [])
        assert len(sample.features) == 2
        for stored, level in zip(sample.features, direct):
            assert torch.equal(stored, level[0].half())


def test_goes_on_where_it_stopped(street_root, tmp_path):
    extract_representations(PooledColors(), dataset(street_root, indices=1), str(tmp_path), 'pooled')
    encoder = PooledColors()
    report = extract_representations(encoder, dataset(street_root), str(tmp_path), 'pooled')
    assert (report['written'], report['kept']) == (1, 1)
    assert encoder.frames_seen == 7 + 1  # one sequence, and one frame for the shapes


def test_killed_between_two_levels(street_root, tmp_path, monkeypatch):
    data, root = dataset(street_root), str(tmp_path)
    write = StoreWriter.write_sequence

    def killed(writer, level, sequence_id, *args):
        if (level, sequence_id) == ('P3', data.sequences[1].id):
            raise KeyboardInterrupt
        write(writer, level, sequence_id, *args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(StoreWriter, 'write_sequence', killed)
        extract_representations(PooledPyramid(), data, root, 'pooled')
    store = RepresentationStore(root)
    assert (store.num_frames('P2'), store.num_frames('P3')) == (14, 7)

    before = (tmp_path / 'data/P2' / f'{data.sequences[1].id}.npy').stat().st_mtime_ns
    report = extract_representations(PooledPyramid(), data, root, 'pooled')
    assert (report['written'], report['kept']) == (1, 1)
    assert (tmp_path / 'data/P2' / f'{data.sequences[1].id}.npy').stat().st_mtime_ns == before
    store = RepresentationStore(root)
    for sequence in data.sequences:
        fine, coarse = (read(store, level, sequence).astype(float) for level in ('P2', 'P3'))
        pooled = fine.reshape(7, 3, 8, 2, 16, 2).mean((3, 5))
        np.testing.assert_allclose(pooled, coarse, atol=1e-3)


def test_adding_a_level_later(street_root, tmp_path, capsys):
    data, root = dataset(street_root), str(tmp_path)
    extract_representations(PooledPyramid(), data, root, 'pooled', levels=['P3'])
    assert RepresentationStore(root).choose_levels() == ('P3',)
    capsys.readouterr()
    report = extract_representations(PooledPyramid(), data, root, 'pooled', levels=['P3', 'P2'])
    assert (report['written'], report['kept']) == (2, 0)
    whole = str(tmp_path / 'at_once')
    extract_representations(PooledPyramid(), data, whole, 'pooled')
    for level in ('P2', 'P3'):
        for sequence in data.sequences:
            maps = [read(RepresentationStore(place), level, sequence) for place in (root, whole)]
            np.testing.assert_array_equal(*maps)


def test_other_weights_are_refused(street_root, tmp_path):
    root = str(tmp_path)
    extract_representations(PooledPyramid(), dataset(street_root), root, 'pooled', ['P3'])
    for levels in (['P3'], ['P2']):
        with pytest.raises(StoreError, match='has weights_sha256 .* extract it to another folder'):
            extract_representations(PooledPyramid(weight=2.0), dataset(street_root), root, 'pooled', levels)
    assert RepresentationStore(root).manifest.level_names == ('P3',)


def test_overflow_in_half_precision_is_refused(street_root, tmp_path):
    with pytest.raises(StoreError, match='P2 of sequence .* not finite in float16'):
        extract_representations(PooledPyramid(weight=1e6), dataset(street_root), str(tmp_path), 'pooled')
    assert RepresentationStore(str(tmp_path)).num_frames('P2') == 0


def test_dry_run_writes_nothing(street_root, tmp_path, capsys):
    encoder, root = PooledPyramid(), tmp_path / 's'
    report = extract_representations(encoder, dataset(street_root), str(root), 'pooled', ['P3'], dry_run=True)
    assert encoder.frames_seen == 1 and not root.exists()
    # 14 frames of 3x16x32 and of 3x8x16, two bytes a value.
    assert report['bytes'] == dict(P2=43_008, P3=10_752) and report['written'] == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == [
        '  P2 (3, 16, 32): 4.3e-05 GB  (not asked for)',
        '  P3 (3, 8, 16): 1.08e-05 GB',
    ]
    assert lines[3] == f'1.08e-05 GB in {root}'


def test_full_disk_is_refused_before_the_first_write(street_root, tmp_path, monkeypatch, capsys):
    usage = type('usage', (), dict(free=43_008 + 10_752 - 1))
    monkeypatch.setattr('shutil.disk_usage', lambda path: usage)
    with pytest.raises(StoreError, match='needs 5.38e-05 GB .*P2 4.3e-05, P3 1.08e-05.* fewer'):
        extract_representations(PooledPyramid(), dataset(street_root), str(tmp_path), 'pooled')
    assert list(tmp_path.iterdir()) == []
    assert '5.38e-05 GB in' in capsys.readouterr().out
    extract_representations(PooledPyramid(), dataset(street_root), str(tmp_path), 'pooled', ['P3'])


def test_an_unreadable_sequence_is_left_out_and_named(street_root, tmp_path):
    for position in (1, 10):  # the frame that is probed, and another
        data = dataset(street_root)
        broken = tmp_path / 'broken.png'
        broken.write_bytes(b'\x89PNG\r\n')
        data.full_init()
        data.sequences[0].image_paths[position] = str(broken)
        root = str(tmp_path / f'{position}')
        report = extract_representations(PooledColors(), data, root, 'pooled')
        assert report['written'] == 1 and 'broken.png' in report['corrupt'][0]
        store = RepresentationStore(root)
        assert np.isfinite(read(store, 'scores', data.sequences[1])).all()
        with pytest.raises(StoreError, match='holds no scores'):
            read(store, 'scores', data.sequences[0])


def test_nothing_readable(street_root, tmp_path):
    data = dataset(street_root, indices=1)
    data.full_init()
    data.sequences[0].image_paths[1] = str(tmp_path / 'gone.png')
    with pytest.raises(CorruptFrameError, match='gone.png'):
        extract_representations(PooledColors(), data, str(tmp_path / 's'), 'pooled')


def test_frames_of_another_size_are_refused(street_root, tmp_path):
    class Cropped(PooledColors):
        def encode(self, frames, samples):
            (maps,) = super().encode(frames, samples)
            return [maps[..., : 16 if self.frames_seen <= 7 else 1]]

    with pytest.raises(ValueError, match=r'give scores of \(3, 8, 1\), those before .*\(3, 8, 16\)'):
        extract_representations(Cropped(), dataset(street_root), str(tmp_path), 'pooled')


@pytest.mark.parametrize('encoder', [LabelMapEncoder(19), RGBEncoder()])
def test_encoders_without_a_network_have_nothing_to_extract(encoder, street_root, tmp_path):
    with pytest.raises(ValueError, match='nothing to compute'):
        extract_representations(encoder, dataset(street_root), str(tmp_path), 'labels')


@pytest.mark.parametrize('levels', [['P3', 'P6'], []])
def test_levels_that_the_encoder_lacks(levels, street_root, tmp_path):
    with pytest.raises(ValueError, match='PooledPyramid has the levels P2, P3;'):
        extract_representations(PooledPyramid(), dataset(street_root), str(tmp_path), 'pooled', levels)


def test_frames_are_resized_as_the_pipeline_says(street_root, tmp_path):
    pipeline = [
        dict(type='LoadClipFrames'),
        dict(type='ClipResize', scale=(64, 32)),
        dict(type='ClipRandomFlip', prob=1.0),
        dict(type='PackForecastInputs'),
    ]
    source = dataset(street_root, pipeline=pipeline)
    extract_representations(PooledColors(), source, str(tmp_path / 's'), 'pooled')
    clip = source.get_data_info(0)
    stored = RepresentationStore(str(tmp_path / 's')).read('scores', clip['sequence_id'], clip['frame_names'])
    frames = source[0]['inputs'].flip(-1)  # what random transforms do is not stored
    (expected,) = PooledColors().encode(frames[None].float(), [])
    np.testing.assert_allclose(stored, expected[0].numpy(), atol=1e-3)
