"""The site of the docs builds without a warning, and needs no network to be read."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    for module in ('mkdocs', 'material', 'mkdocstrings', 'latex2mathml'):
        pytest.importorskip(module, reason=f'{module} is not installed: pip install -r requirements/docs.txt')
    folder = tmp_path_factory.mktemp('site')
    result = subprocess.run(
        [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--site-dir', folder],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(REPOSITORY), 'NO_MKDOCS_2_WARNING': '1'},
    )
    assert result.returncode == 0 and 'WARNING' not in result.stderr, result.stderr
    return folder


def in_navigation(entries):
    """The pages that ``nav`` of mkdocs.yml names."""
    for entry in entries:
        for value in entry.values():
            yield from [value] if isinstance(value, str) else in_navigation(value)


def test_the_navigation_has_every_page():
    config = yaml.safe_load((REPOSITORY / 'mkdocs.yml').read_text())
    named = list(in_navigation(config['nav']))
    pages = [
        path.relative_to(REPOSITORY).as_posix()
        for pattern in ('*.md', 'docs/*.md', 'configs/*/README.md')
        for path in REPOSITORY.glob(pattern)
    ]
    assert sorted(named) == sorted(pages)


@pytest.mark.slow
def test_the_site_has_its_pages_and_what_they_show(site):
    for name in ('index.html', 'docs/s2s.html', 'docs/api.html', 'configs/s2s/index.html'):
        assert (site / name).is_file()
    assert (site / 'docs/images/forecast.gif').is_file()
    # A link to a folder of the sources leads to its page; the navigation's links have a class.
    assert '<a href="../configs/f2f/index.html">' in (site / 'docs/f2f.html').read_text()
    assert '<a href="../configs/s2s/index.html">' in (site / 'docs/s2s.html').read_text()


@pytest.mark.slow
def test_equations_are_mathml(site):
    for name in ('s2s', 'f2f', 'd2d', 'creative_gan', 'data'):
        page = (site / f'docs/{name}.html').read_text()
        assert '<math' in page and 'arithmatex' not in page


@pytest.mark.slow
def test_the_reference_has_what_the_packages_export(site):
    page = (site / 'docs/api.html').read_text()
    for name in (
        'mmforecast.apis.ForecastInferencer',
        'mmforecast.models.forecasters.BaseForecaster',
        'mmforecast.models.predictors.BasePredictor.loss_and_predict',
        'mmforecast.datasets.BaseSequenceDataset.load_sequences',
        'mmforecast.evaluation.metrics.FutureSemSegMetric',
    ):
        assert f'id="{name}"' in page, name


@pytest.mark.slow
def test_no_page_loads_anything_from_the_network(site):
    loads = re.compile(r'<(?:script|img|link|iframe)[^>]*(?:src|href)="(?:https?:)?//[^"]*"')
    for page in site.rglob('*.html'):
        found = [tag for tag in loads.findall(page.read_text()) if 'rel="canonical"' not in tag]
        assert not found, page
    for style in site.rglob('*.css'):
        assert not re.search(r'url\(["\']?(?:https?:)?//|@import', style.read_text()), style
