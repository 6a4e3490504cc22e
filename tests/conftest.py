"""Fixtures and settings shared by all tests."""

import gc
import io
import os
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from mmengine.config import config as mmengine_config
from mmengine.registry import DefaultScope
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from mmforecast.visualization import ForecastLocalVisualizer

REPOSITORY = Path(__file__).resolve().parents[1]

# `make test` tries a few inputs per property, the same in every run; `make test-all` many, new ones each time.
settings.register_profile('quick', max_examples=25, deadline=None, derandomize=True)
settings.register_profile('thorough', max_examples=500, deadline=None)
settings.load_profile('quick')

torch.set_num_threads(1)  # two xdist workers share two cores


def format_once(format_code):
    """A formatter of code that remembers its results."""
    known = {}

    def format_(text, **options):
        key = text, repr(sorted(options.items()))
        if key not in known:
            known[key] = format_code(text, **options)
        return known[key]

    return format_


# mmengine formats the config about five times per run, which takes more than a third of a small run's time.
if hasattr(mmengine_config, 'FormatCode'):  # onedl-mmengine formats otherwise
    mmengine_config.FormatCode = format_once(mmengine_config.FormatCode)


@pytest.fixture(scope='session')
def repository():
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture
def terminal():
    """A text stream that says that it is a terminal."""
    stream = io.StringIO()
    stream.isatty = lambda: True
    return stream


@pytest.fixture(autouse=True)
def default_scope():
    """Every test starts in mmforecast's scope, whatever the test before it left behind."""
    with DefaultScope.overwrite_default_scope('mmforecast'):
        yield


@pytest.fixture(autouse=True)
def seeds():
    """Random inputs are the same in every run."""
    torch.manual_seed(0)
    np.random.seed(0)


@pytest.fixture(scope='session')
def camvid_root():
    """65 consecutive CamVid frames with labels, where the machine has them."""
    given = os.environ.get('MMFORECAST_CAMVID')
    root = Path(given) if given else REPOSITORY.parent / 'shared/data/camvid/dense_15hz'
    if not root.is_dir():
        pytest.skip(f'no CamVid frames at {root}; point MMFORECAST_CAMVID at them')
    return root


@pytest.fixture(scope='session')
def real_videos():
    """demo.mp4, part_0.mp4 and test.avi, where the machine has them."""
    given = os.environ.get('MMFORECAST_VIDEOS')
    root = Path(given) if given else REPOSITORY.parent / 'shared/data/videos'
    if not root.is_dir():
        pytest.skip(f'no videos at {root}; point MMFORECAST_VIDEOS at them')
    return root


@pytest.fixture(scope='session')
def street_root(tmp_path_factory):
    """A small synthetic street: 3 + 2 sequences at 64x128, in Cityscapes' layout."""
    from mmforecast.street import write_dataset

    root = tmp_path_factory.mktemp('street')
    write_dataset(root, dict(train=3, val=2), height=64, width=128, progress=False)
    return root


@pytest.fixture
def run_tool(monkeypatch):
    """Run a script of tools/ in this process, as the command line would."""

    def run(script, *args):
        monkeypatch.setattr(sys, 'argv', [script, *map(str, args)])
        # mmengine finds visualizers again by name, with the work directory of the run before
        ForecastLocalVisualizer._instance_dict.clear()
        runpy.run_path(str(REPOSITORY / 'tools' / script), run_name='__main__')

    return run


@pytest.fixture(scope='session')
def browser():
    """Headless Chromium, where the machine has one."""
    playwright = pytest.importorskip('playwright.sync_api', reason='playwright is not installed')
    names = ('chromium', 'chromium-browser', 'google-chrome')
    path = os.environ.get('MMFORECAST_CHROMIUM') or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip('no Chromium to open reports in: apt-get install chromium, or set MMFORECAST_CHROMIUM')
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=['--no-sandbox'])
        yield chromium
        # A worker of a data loader that a test left behind holds the pipe at whose end the driver stops.
        for value in gc.get_objects():
            if type(value) is _MultiProcessingDataLoaderIter:
                value._shutdown_workers()
        chromium.close()


@pytest.fixture
def open_page(browser):
    """Open an HTML file: ``open_page(path, width=1280)``; what it logs or loads beside it fails the test."""
    contexts, troubles = [], []

    def open_(path, width=1280, height=800, **options):
        context = browser.new_context(
            viewport=dict(width=width, height=height), **{'reduced_motion': 'reduce', **options}
        )
        contexts.append(context)
        page, url = context.new_page(), Path(path).resolve().as_uri()
        page.set_default_timeout(15000)
        page.on('console', lambda message: troubles.append(f'console: {message.text}'))
        page.on('pageerror', lambda error: troubles.append(f'error: {error}'))
        page.on('dialog', lambda dialog: (troubles.append('dialog'), dialog.dismiss()))
        page.on(
            'request',
            lambda request: (
                request.url.startswith(('data:', url)) or troubles.append(f'request: {request.url}')
            ),
        )
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not troubles
