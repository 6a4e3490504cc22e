"""Relative links of all Markdown files: their files and headings exist, on the hub's pages as on the site."""

import re
from functools import lru_cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ('*.md', 'docs/*.md', 'configs/*/README.md')
    for path in REPOSITORY.glob(pattern)
)
FENCED = re.compile(r'^```.*?^```', re.M | re.S)


def prose(path):
    """A page without its blocks of code and its code in lines."""
    return re.sub(r'`[^`]+`', '`code`', FENCED.sub('', path.read_text()))


def links(path):
    """(file, anchor) of the relative links of a page."""
    targets = re.findall(r'\]\(([^)\s]+)\)', prose(path))
    return [target.partition('#')[::2] for target in targets if ':' not in target]


def slug(heading):
    """The anchor of a heading, as GitHub and Python-Markdown make it."""
    text = re.sub(r'\[([^\]]+)\]\([^)]*\)|`', r'\1', heading).strip().lower()
    return re.sub(r'\s', '-', re.sub(r'[^\w\- ]', '', text))


@lru_cache
def anchors(path):
    return {slug(heading) for heading in re.findall(r'^#+ (.+)$', FENCED.sub('', path.read_text()), re.M)}


@pytest.mark.parametrize('page', PAGES)
def test_links_lead_somewhere(page):
    path = REPOSITORY / page
    for file, anchor in links(path):
        target = (path.parent / file).resolve() if file else path
        assert target.is_relative_to(REPOSITORY) and target.exists(), f'{page} links to {file}'
        if anchor:
            assert anchor in anchors(target), f'{page} links to {file}#{anchor}'


def test_every_page_of_the_docs_is_linked():
    linked = {
        (REPOSITORY / page).parent.joinpath(file).resolve()
        for page in PAGES
        for file, _ in links(REPOSITORY / page)
    }
    assert not [page for page in PAGES if page.startswith('docs/') and REPOSITORY / page not in linked]


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text('# A [title](x.md) of `it`\n```\n# no heading\n```\n[a](gone.md#b) [c](#a-title-of-it)')
    assert links(page)[1:] == [('gone.md', 'b'), ('', 'a-title-of-it')]
    assert anchors(page) == {'a-title-of-it'}
