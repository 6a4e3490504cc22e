"""docs/design.md: short, and every path and floor in it is real."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / 'docs/design.md').read_text()


def test_it_is_short():
    assert len(PAGE.split()) <= 970


def test_every_path_exists():
    paths = re.findall(r'`((?:mmforecast|configs|tools|tests|docs)/[\w./-]*)`', PAGE)
    assert len(paths) >= 12
    assert not [path for path in paths if not (REPOSITORY / path).exists()]


def test_every_package_is_described():
    named = set(re.findall(r'^\| \d \| `mmforecast/(\w+)`', PAGE, re.M))
    there = {path.parent.name for path in (REPOSITORY / 'mmforecast').glob('*/__init__.py')}
    assert named == there
