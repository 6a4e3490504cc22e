"""One self-contained HTML page of designs: scores, sorting, favorites and export, without a network."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from mmforecast.fileio.atomic import write_atomically
from mmforecast.utils.checks import check_not_empty
from mmforecast.visualization.report.clips import data_uri

from ..design import Design

__all__ = ['write_design_page']

_FOLDER = Path(__file__).parent
_SHOWN = 0.005  # shares of classes below are not listed


def write_design_page(
    path: str | PathLike,
    designs: Sequence[Design],
    request: Mapping[str, Any],
    title: str = 'Designs',
    note: str = '',
) -> int:
    """Write the page; its size in bytes. Missing folders are made.

    Args:
        path: HTML file.
        designs: At least one.
        request: What was asked for, by name of the option; part of the exported JSON.
        title: Of the page.
        note: A last sentence, such as what the model was trained on.
    """
    check_not_empty('write_design_page', designs=designs)
    facts = [_facts(design) for design in designs]
    identity = hashlib.sha256(json.dumps([request, facts], sort_keys=True).encode()).hexdigest()[:16]
    content = dict(id=identity, request=dict(request), designs=facts)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(_read('page.html.jinja')).render(
        title=title,
        request=', '.join(f'{name} {value}' for name, value in request.items() if value is not None),
        designs=[_card(design) for design in designs],
        note=note,
        css=Markup(_read('page.css')),
        script=Markup(_read('page.js')),
        # no text can end the script element
        data=Markup(json.dumps(content).replace('<', '\\u003c')),
    )
    data = page.encode()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_atomically(str(path), data)
    return len(data)


def _facts(design: Design) -> dict[str, Any]:
    """What the JSON says of a design."""
    return dict(
        number=design.number,
        novelty=round(design.novelty, 4),
        realism=round(design.realism, 4),
        nearest_training_image=design.nearest_number,
        predicted=_rounded(design.classes),
        asked=_rounded(design.mix),
    )


def _rounded(shares: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {name: {one: round(value, 4) for one, value in part.items()} for name, part in shares.items()}


def _card(design: Design) -> dict[str, Any]:
    """What the template shows of a design."""
    found = [
        (name, sorted(part.items(), key=lambda entry: -entry[1])[:2]) for name, part in design.classes.items()
    ]
    return dict(
        number=design.number,
        novelty=design.novelty,
        realism=design.realism,
        confusion=sum(map(_entropy, design.classes.values())) / len(design.classes),
        image=data_uri(design.image, quality=92),
        nearest=data_uri(design.nearest, quality=92),
        found=found,
        words=', '.join(shares[0][0] for _, shares in found),
        asked='; '.join(_asked(part) for part in design.mix.values()),
    )


def _entropy(shares: Mapping[str, float]) -> float:
    """Normalized to [0, 1]."""
    terms = [value * math.log(value) for value in shares.values() if value > 0]
    return -sum(terms) / math.log(len(shares))


def _asked(shares: Mapping[str, float]) -> str:
    """The mix of an attribute in words, the largest shares first."""
    values = list(shares.values())
    if max(values) - min(values) < _SHOWN:
        return 'all equally'
    listed = sorted(((v, k) for k, v in shares.items() if v >= _SHOWN), reverse=True)
    if listed[0][0] > 1 - _SHOWN:
        return listed[0][1]
    rest = f' and {len(listed) - 2} others' if len(listed) > 3 else ''
    listed = listed[:2] if rest else listed
    return ' + '.join(f'{name} {100 * share:.0f}%' for share, name in listed) + rest


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding='utf-8')
