"""The messages of docs/troubleshooting.md are those of the sources."""

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / 'docs/troubleshooting.md').read_text()
MESSAGES = re.findall(r'^```\n(?:Error: )?(.+)\n```$', PAGE, re.M)
LEAST_FIXED = 20  # characters that a message and its template have to share


def pieces(node):
    """The fixed parts of a string of the sources, in their order."""
    if isinstance(node, ast.JoinedStr):
        return [part.value for part in node.values if isinstance(part, ast.Constant)]
    return [node.value]


@lru_cache
def templates():
    """Fixed parts of every string of the package and the tools that could be a sentence."""
    found = []
    for folder in ('mmforecast', 'tools'):
        for path in (REPOSITORY / folder).rglob('*.py'):
            tree = ast.parse(path.read_text())
            docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                text = isinstance(node, ast.Constant) and isinstance(node.value, str)
                if (text or isinstance(node, ast.JoinedStr)) and id(node) not in docstrings:
                    parts = pieces(node)
                    if sum(map(len, parts)) >= LEAST_FIXED:
                        found.append(parts)
    return found


def shared(parts, message):
    """How many characters of a template stand in a message, in their order; 0 unless all do."""
    position, count = 0, 0
    for part in parts:
        at = message.find(part, position)
        if at < 0:
            return 0
        position, count = at + len(part), count + len(part)
    return count


def longest(message):
    """Of the templates that a message fills, the most that one shares with it."""
    return max((shared(parts, message) for parts in templates()), default=0)


def test_there_are_enough_messages():
    assert len(MESSAGES) >= 12 and len(set(MESSAGES)) == len(MESSAGES)
    assert PAGE.count('\n```\n') == 2 * len(MESSAGES)  # no other blocks


@pytest.mark.parametrize('message', MESSAGES, ids=lambda message: message[:40])
def test_the_message_is_one_of_the_sources(message):
    assert longest(message) >= LEAST_FIXED, message


def test_a_message_that_changed_is_found():
    assert longest('num_past=4, but the predictor wants num_past=3; make them equal') < LEAST_FIXED
