"""What the tests of the street's configs share: options for the small data, and scores by the real tool."""

import json

import pytest


@pytest.fixture
def data(street_root):
    """The small street, loaded in this process."""
    options = []
    for loader in ('train', 'val', 'test'):
        options += [
            f'{loader}_dataloader.dataset.data_root={street_root}',
            f'{loader}_dataloader.num_workers=0',
            f'{loader}_dataloader.persistent_workers=False',
        ]
    return options


@pytest.fixture
def scores(run_tool, repository, monkeypatch, data, tmp_path):
    monkeypatch.chdir(repository)

    def run(config, checkpoint, *options):
        out = tmp_path / 'scores.json'
        run_tool(
            'test.py',
            f'configs/{config}.py',
            *[checkpoint, '--work-dir', tmp_path / 'test', '--out', out],
            *['--cfg-options', *data, *options],
        )
        return json.loads(out.read_text())

    return run
