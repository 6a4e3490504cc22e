"""What the command says of public datasets is what the docs say."""

import pytest

from mmforecast.datasets.public_data import PUBLIC_DATA, describe


@pytest.mark.parametrize('name', PUBLIC_DATA)
def test_docs_say_the_same(name, repository):
    data, text = PUBLIC_DATA[name], (repository / 'docs/data.md').read_text()
    assert data.layout in text
    assert data.url in text
    for part in (data.title, data.url, data.files, data.layout):
        assert part in describe(name)


@pytest.mark.parametrize('name', PUBLIC_DATA)
def test_configs_are_there(name, repository):
    data = PUBLIC_DATA[name]
    root = data.layout.split('/\n')[0]
    for pattern in data.configs.split(', '):
        assert list(repository.glob(pattern)), pattern
    sources = [
        *repository.glob('configs/_base_/datasets/*.py'),
        *repository.glob('configs/creative_gan/*.py'),
    ]
    assert any(f"'{root}'" in path.read_text() for path in sources)
