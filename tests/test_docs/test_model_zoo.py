"""The model zoo agrees with the metafiles, and these with the pages of results and the files of weights."""

import hashlib
import re
import runpy
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
METAFILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob('configs/*/metafile.yml'))


def entries(metafile):
    return yaml.safe_load((ROOT / metafile).read_text())['Models']


def test_the_page_is_what_the_script_writes():
    script = runpy.run_path(str(ROOT / 'tools/misc/model_zoo.py'))
    assert (ROOT / 'docs/model_zoo.md').read_text() == script['page'](), 'run python tools/misc/model_zoo.py'


def test_every_config_is_on_the_page():
    text = (ROOT / 'docs/model_zoo.md').read_text()
    configs = {p.relative_to(ROOT).as_posix() for p in ROOT.glob('configs/[!_]*/*.py')}
    assert set(re.findall(r'\(\.\./(configs/\w+/\S+?\.py)\)', text)) == configs and len(configs) > 90


@pytest.mark.parametrize('metafile', METAFILES)
def test_scores_are_those_of_the_page_of_results(metafile):
    text = (ROOT / metafile).with_name('README.md').read_text()
    for entry in entries(metafile):
        for result in entry.get('Results', ()):
            for name, value in result['Metrics'].items():
                score = re.escape(str(value))
                assert re.search(rf'(?<![\d.]){score}0*(?![\d.]*\d)', text), (entry['Name'], name, value)


def test_all_shipped_weights_are_listed_under_their_sum():
    listed = {entry['Weights'] for name in METAFILES for entry in entries(name) if 'Weights' in entry}
    assert listed == {p.relative_to(ROOT).as_posix() for p in ROOT.glob('configs/*/weights/*.pth')}
    for name in listed:
        digest = hashlib.sha256((ROOT / name).read_bytes()).hexdigest()
        assert digest.startswith(Path(name).stem.rpartition('-')[2])
