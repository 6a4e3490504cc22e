"""Datasets within mmengine's wrappers: compared, reported and extracted as by themselves."""

import pytest
import torch
from mmengine.dataset import ConcatDataset

from mmforecast.apis import baseline_entries, build_loader, compare, load_config
from mmforecast.apis.evaluate import set_horizon
from mmforecast.apis.extract import extract_representations
from mmforecast.apis.report_parts import data_sentence
from mmforecast.datasets import CityscapesSequenceDataset
from mmforecast.models.encoders import BaseEncoder
from mmforecast.utils.source_configs import first_source, source_configs


@pytest.fixture
def config(repository, street_root):
    """A config on the small street, its test data in a wrapper."""

    def build(wrap=lambda dataset: dataset):
        options = {
            'test_dataloader.dataset.data_root': str(street_root),
            'test_dataloader.num_workers': 0,
            'test_evaluator.per_class_table': False,
        }
        cfg = load_config(str(repository / 'configs/s2s/s2s_warp_tiny_synthetic.py'), options)
        cfg.test_dataloader.dataset = wrap(cfg.test_dataloader.dataset)
        return cfg

    return build


WRAPPERS = {
    'concat': lambda dataset: dict(type='ConcatDataset', datasets=[dataset, dataset]),
    'repeat': lambda dataset: dict(type='RepeatDataset', times=2, dataset=dataset),
    'nested': lambda dataset: dict(
        type='ConcatDataset',
        datasets=[dict(type='RepeatDataset', times=1, dataset=dataset), dataset],
    ),
}


@pytest.mark.parametrize('name', WRAPPERS)
def test_doubled_clips_have_the_same_scores(config, name):
    """A mean over twice the same clips is the mean; the persistent workers of the config are dropped."""
    (plain,) = compare(baseline_entries(config(), ['copy-last']), horizons=[2])
    (doubled,) = compare(baseline_entries(config(WRAPPERS[name]), ['copy-last']), horizons=[2])
    for row in (plain, doubled):
        del row['curves'], row['steps']
    assert doubled == pytest.approx(plain) and plain['mIoU @0.35s'] > 0


def test_horizon_and_sentence_reach_every_source(config):
    cfg = config(WRAPPERS['nested'])
    set_horizon(cfg, 2)
    assert [source.num_future for source in source_configs(cfg.test_dataloader.dataset)] == [2, 2]
    assert first_source(cfg.test_dataloader.dataset).type == 'CityscapesSequenceDataset'
    dataset = build_loader(cfg).dataset
    assert data_sentence(cfg, dataset, [2]).startswith('Data: 4 clips of CityscapesSequenceDataset (')


class MeanColor(BaseEncoder):
    """One channel: the frame's mean."""

    num_channels = 1
    from_rgb = True
    level_names = ('scores',)

    def __init__(self):
        super().__init__()
        self.network = torch.nn.Linear(1, 1).requires_grad_(False)

    def encode(self, frames, samples):
        return [frames.mean((2, 3, 4), keepdim=True)]


def test_sequences_of_several_sources_are_extracted_once(street_root, tmp_path):
    def part(**kwargs):
        return CityscapesSequenceDataset(data_root=str(street_root), split='val', **kwargs)

    encoder, root = MeanColor(), str(tmp_path / 'store')
    both = ConcatDataset([part(stride=3), part(stride=2)])
    report = extract_representations(encoder, both, root, 'mean')
    strides = [{19 - 3 * step for step in range(7)}, {19 - 2 * step for step in range(7)}]
    assert report['written'] == 2
    assert report['bytes']['scores'] == 2 * len(set.union(*strides)) * 2  # float16
    # now the store has what each of them needs
    for stride in (2, 3):
        assert extract_representations(encoder, part(stride=stride), root, 'mean')['kept'] == 2
