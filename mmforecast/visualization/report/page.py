"""One self-contained HTML page: tables, curves, moving pictures, configs; nothing is loaded from anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from os import PathLike
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from .charts import Series, swatch
from .clips import ClipView

__all__ = [
    'Chart',
    'ConfigView',
    'Page',
    'Row',
    'SectionView',
    'Table',
    'render_page',
    'write_page',
]

_FOLDER = Path(__file__).parent


@dataclass
class Metric:
    """A column of scores: its name, unit, and 'max' or 'min'."""

    name: str
    unit: str
    best: str


@dataclass
class Group:
    """The columns of one time ahead, such as '0.53 s'."""

    time: str
    metrics: list[Metric]


@dataclass
class TableCell:
    """A text; whether it is the best of its column, and the first of its group."""

    text: str
    best: bool = False
    first: bool = False


@dataclass
class Row:
    """A method's cells, those of ``lead`` but its name first; its line in the charts, if it has one."""

    name: str
    cells: list[TableCell]
    series: Series | None = None


@dataclass
class Table:
    """Columns without a time (``lead``, the method's name first), then by time; and what to say below."""

    lead: list[str]
    groups: list[Group]
    rows: list[Row]
    has_oracle: bool = False
    has_seeds: bool = False


@dataclass
class Chart:
    """A heading and an SVG element."""

    title: str
    svg: Markup


@dataclass
class ConfigView:
    """A config: the file's own text, and with all that it inherits."""

    name: str
    path: str
    own: str
    whole: str
    checkpoint: str = ''


@dataclass
class SectionView:
    """Methods on the same clips."""

    title: str
    table: Table
    text: str = ''
    data: str = ''
    notes: list[str] = field(default_factory=list)
    meanings: list[tuple[str, str]] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    has_bands: bool = False
    clips: list[ClipView] = field(default_factory=list)
    overlaid: bool = True
    configs: list[ConfigView] = field(default_factory=list)


@dataclass
class Page:
    """All that a page says. Texts are plain; whatever is in them is escaped."""

    title: str
    date: str
    sections: Sequence[SectionView]
    text: str = ''
    environment: Sequence[tuple[str, str]] = ()


def render_page(page: Page) -> str:
    """The page's HTML."""
    return _template().render(
        page=page,
        swatch=swatch,
        css=Markup(_read('page.css')),
        script=Markup(_read('player.js')),
    )


def write_page(path: str | PathLike, page: Page) -> int:
    """Write the page; its size in bytes. Missing folders are made."""
    data = render_page(page).encode()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(data)
    return len(data)


@cache
def _template():
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_read('page.html.jinja'))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding='utf-8')
