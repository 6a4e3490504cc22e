"""A rater's form as one HTML page, which needs no network and saves the answers as CSV."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from mmforecast.visualization.report.clips import data_uri

from .questions import QUESTIONS

__all__ = ['render_form']


def render_form(rater: str, pictures: Sequence[tuple[str, np.ndarray]]) -> str:
    """The page's HTML.

    Args:
        rater: Name of the form; the answers are saved as ``<rater>.csv``, which :func:`read_answers` reads.
        pictures: Number and uint8 (H, W, 3) RGB of each image, in the order shown.
    """
    return _template().render(
        rater=rater,
        items=[(number, data_uri(picture, quality=92)) for number, picture in pictures],
        questions=QUESTIONS,
        names=Markup(json.dumps([question.name for question in QUESTIONS])),
        identity=f'{rater}-{"-".join(number for number, _ in pictures[:4])}',
    )


@cache
def _template():
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((Path(__file__).parent / 'form.html.jinja').read_text(encoding='utf-8'))
