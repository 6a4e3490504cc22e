import numpy as np
import pytest
import torch

from mmforecast.apis.extract import extract_representations
from mmforecast.datasets import CityscapesSequenceDataset
from mmforecast.datasets.representation_store import RepresentationStore, StoreError
from mmforecast.models.encoders import BaseEncoder, LabelMapEncoder


class PooledColours(BaseEncoder):
    """Three channels that tell the frame: pooled RGB."""

    num_channels = 3
    from_rgb = True
    frames_seen = 0

    def encode(self, frames, samples):
        self.frames_seen += frames.shape[1]
        pooled = torch.nn.functional.avg_pool2d(frames.flatten(0, 1), 8) / 255
        return [pooled.unflatten(0, frames.shape[:2])]


def dataset(root, **kwargs):
    return CityscapesSequenceDataset(data_root=str(root), split='val', **kwargs)


def test_scores_come_back_through_the_pipeline(street_root, tmp_path):
    encoder = PooledColours()
    report = extract_representations(
        encoder, dataset(street_root), str(tmp_path / 's'), 'pooled', chunk=3
    )
    assert report['written'] == 2 and report['corrupt'] == []
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


def test_goes_on_where_it_stopped(street_root, tmp_path):
    extract_representations(
        PooledColours(), dataset(street_root, indices=1), str(tmp_path), 'pooled'
    )
    encoder = PooledColours()
    report = extract_representations(encoder, dataset(street_root), str(tmp_path), 'pooled')
    assert (report['written'], report['kept']) == (1, 1)
    assert encoder.frames_seen == 7 + 1  # one sequence, and one frame for the shape
    with pytest.raises(StoreError, match='another'):
        extract_representations(PooledColours(), dataset(street_root), str(tmp_path), 'another')


def test_an_unreadable_sequence_is_left_out_and_named(street_root, tmp_path):
    data = dataset(street_root)
    broken = tmp_path / 'broken.png'
    broken.write_bytes(b'\x89PNG\r\n')
    data.full_init()
    data.sequences[0].image_paths[10] = str(broken)
    report = extract_representations(PooledColours(), data, str(tmp_path / 's'), 'pooled')
    assert report['written'] == 1 and 'broken.png' in report['corrupt'][0]
    store = RepresentationStore(str(tmp_path / 's'))
    assert data.sequences[1].id in store and data.sequences[0].id not in store
    assert np.isfinite(store.read(data.sequences[1].id, data.sequences[1].frame_names[1:5:3])).all()


def test_encoders_without_frames_have_nothing_to_extract(street_root, tmp_path):
    with pytest.raises(ValueError, match='nothing to compute'):
        extract_representations(LabelMapEncoder(19), dataset(street_root), str(tmp_path), 'labels')
