"""Commands of the Markdown files name what exists, and parse with the arguments of their own tool."""

import argparse
import re
import runpy
import shlex
import sys
from functools import lru_cache
from pathlib import Path

import pytest

from mmforecast.cli.main import COMMANDS, build_parser

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ('*.md', 'docs/*.md', 'configs/*/README.md')
    for path in REPOSITORY.glob(pattern)
)
START = re.compile(r'(?:python (?:-m mmforecast|tools/)|bash tools/|make |mmforecast |pytest )')
TARGETS = re.findall(r'^([a-z-]+):.*##', (REPOSITORY / 'Makefile').read_text(), re.M)
VARIABLES = re.findall(r'^([A-Z]+) \?=', (REPOSITORY / 'Makefile').read_text(), re.M)
# Configs that the page has the reader write.
TO_WRITE = set(re.findall(r'^# (configs/\S+)$', (REPOSITORY / 'docs/extend.md').read_text(), re.M))
PLACEHOLDER = re.compile(r'[A-Z]{3,}|[<{*\[]|\.\.\.')


class Parsed(Exception):
    """The arguments of a tool were parsed: it need not run."""


def commands(text):
    """The commands of a page, from its blocks and its lines, as they would be typed in one line."""
    blocks = re.findall(r'^```[a-z]*\n(.*?)^```', text, re.M | re.S)
    lines = [line for block in blocks for line in block.replace('\\\n', ' ').splitlines()]
    prose = re.sub(r'^```.*?^```', '', text, flags=re.M | re.S)
    lines += [' '.join(code.split()) for code in re.findall(r'`([^`]+)`', prose)]
    for line in lines:
        if line.startswith('Error'):
            continue
        for part in re.split(r'&&|;|\|| do ', line.strip().removeprefix('$ ')):
            part = re.sub(r'^(\s*[A-Z_]+=\S*)+\s', '', part).strip()
            if START.match(part):
                yield part


@lru_cache
def script(path):
    return runpy.run_path(str(REPOSITORY / path), run_name='tool')


def parse_tool(path, words, monkeypatch):
    """Run a tool until its arguments are parsed; wrong ones raise SystemExit."""
    parse = argparse.ArgumentParser.parse_args

    def parse_only(self, args=None, namespace=None):
        parse(self, args, namespace)
        raise Parsed

    monkeypatch.setattr(sys, 'argv', [path, *words])
    monkeypatch.syspath_prepend((REPOSITORY / path).parent)  # as Python does for a script
    tool = script(path)
    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', parse_only)
    with pytest.raises(Parsed):
        tool.get('parse_args', tool.get('main'))()


def check(command, monkeypatch):
    """Raise where a command names what isn't there, or has other arguments than its tool."""
    words = shlex.split(command, comments=True)
    for word in words:
        if re.fullmatch(r'configs/\S+\.py', word) and not PLACEHOLDER.search(word):
            assert word in TO_WRITE or (REPOSITORY / word).is_file(), f'{command}: no {word}'
    program, *words = words
    if program == 'make':
        settings = {word for word in words if word.partition('=')[0] in VARIABLES}
        assert not set(words) - set(TARGETS) - settings, f'{command}: {TARGETS}'
    elif program == 'bash':
        check_launcher(words, monkeypatch)
    elif program == 'pytest':
        files = [word for word in words if word.endswith('.py') and not PLACEHOLDER.search(word)]
        assert all((REPOSITORY / word.split('::')[0]).is_file() for word in files), command
    elif program == 'mmforecast' or words[:2] == ['-m', 'mmforecast']:
        check_cli(words[2:] if program == 'python' else words)
    else:
        parse_tool(words[0], words[1:], monkeypatch)


def check_cli(words):
    words = ['camvid' if word == 'NAME' else word for word in words]
    if words:
        assert words[0] in COMMANDS or words[0].startswith('-'), words
        args, rest = build_parser(words[:1]).parse_known_args(words)
        assert not rest and args.command in COMMANDS


def check_launcher(words, monkeypatch):
    """The shell scripts pass what follows their own arguments on to a Python tool."""
    path, *words = words
    own = {'dist_train.sh': 2, 'dist_test.sh': 3, 'slurm_train.sh': 4, 'slurm_test.sh': 5}
    number = own[Path(path).name]
    assert (REPOSITORY / path).is_file() and len(words) >= number, path
    if Path(path).name.startswith('dist_train'):
        parse_tool('tools/train.py', [words[0], *words[number:]], monkeypatch)


@pytest.mark.parametrize('page', PAGES)
def test_commands_of_the_page_are_spelt_right(page, monkeypatch):
    for command in commands((REPOSITORY / page).read_text()):
        if '...' in command or '[' in command.split('--cfg-options')[0]:
            continue  # an excerpt, or a usage
        try:
            check(command, monkeypatch)
        except SystemExit:
            pytest.fail(f'{page}: {command}')
        finally:
            monkeypatch.undo()


def test_most_commands_are_found():
    found = {page: len(list(commands((REPOSITORY / page).read_text()))) for page in PAGES}
    assert found['README.md'] >= 9 and found['docs/extend.md'] >= 7 and sum(found.values()) >= 120


@pytest.mark.parametrize(
    'command',
    [
        'python tools/train.py configs/s2s/gone.py',
        'python tools/train.py configs/s2s/s2s_warp_tiny_synthetic.py --resum x y',
        'python tools/analysis_tools/compare.py configs/s2s/s2s_warp_tiny_synthetic.py --gone',
        'python tools/gone.py',
        'bash tools/dist_train.sh CONFIG',
        'make gone',
        'mmforecast gone',
    ],
)
def test_a_misspelt_command_is_found(command, monkeypatch):
    with pytest.raises((AssertionError, SystemExit, FileNotFoundError)):
        check(command, monkeypatch)
