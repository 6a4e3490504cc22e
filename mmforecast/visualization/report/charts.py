"""Curves as inline SVG: no script, no font, colors from the page's style sheet."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

__all__ = ['NUM_STYLES', 'Series', 'line_chart', 'swatch']

# Colors and dashes are those of the classes s0, s1, ... in page.css; `plain` is gray, for an oracle.
NUM_STYLES = 7
_WIDTH, _HEIGHT = 360, 236
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 20, 40


@dataclass(frozen=True)
class Series:
    """A line.

    Attributes:
        name: Of the method.
        points: (x, y, deviation of y or None), in order of x.
        style: Number of its color, marker and dash; None for a plain gray line.
    """

    name: str
    points: Sequence[tuple[float, float, float | None]]
    style: int | None = None

    @property
    def css_class(self) -> str:
        return 'plain' if self.style is None else f's{self.style % NUM_STYLES}'


def line_chart(series: Sequence[Series], xlabel: str, ylabel: str, decimals: int = 1) -> Markup:
    """One chart: lines with markers, a band of ± deviation where there are seeds, axes with labels.

    Args:
        series: Points whose y is NaN are left out.
        xlabel: Below the horizontal axis.
        ylabel: Name and unit of the values, above the vertical axis.
        decimals: Digits of the values in texts.

    Returns:
        An ``<svg>`` element; each point tells its value when it is pointed at.

    Raises:
        ValueError: There is no point.
    """
    lines = [(one, [p for p in one.points if not math.isnan(p[1])]) for one in series]
    points = [point for _, line in lines for point in line]
    if not points:
        raise ValueError(f'a chart needs at least one point with a value: there is no {ylabel}')
    drawn, beyond = _within_reach(lines)
    xs = sorted({x for x, _, _ in points})
    ticks = nice_ticks(*_range(drawn))
    place = _Scale((xs[0], xs[-1]), (ticks[0], ticks[-1]))
    body = [_axes(place, _spread(xs), ticks, xlabel, ylabel)]
    body += [_band(place, one, line) for one, line in drawn]
    body += [_line(place, one, line, xlabel, decimals) for one, line in drawn]
    body += [_beyond(row, one, line, decimals) for row, (one, line) in enumerate(beyond)]
    text = _in_words(lines, ylabel, xlabel, decimals)
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, text, Markup('').join(body)
    )


def _range(lines: Sequence[tuple]) -> tuple[float, float]:
    points = [point for _, line in lines for point in line]
    return min(y - (d or 0) for _, y, d in points), max(y + (d or 0) for _, y, d in points)


def _within_reach(lines: Sequence[tuple]) -> tuple[list, list]:
    """The lines to draw, and plain ones so far off that all others would lie flat beside them."""
    colored = [(one, line) for one, line in lines if line and one.style is not None]
    if not colored:
        return list(lines), []
    low, high = _range(colored)
    reach = 0.6 * (high - low)
    near = [
        not line or one.style is not None or all(low - reach <= y <= high + reach for _, y, _ in line)
        for one, line in lines
    ]
    drawn = [entry for entry, fits in zip(lines, near) if fits]
    return drawn, [entry for entry, fits in zip(lines, near) if not fits]


def _beyond(row: int, series: Series, points: Sequence[tuple], decimals: int) -> Markup:
    first, last = (f'{points[index][1]:.{decimals}f}' for index in (0, -1))
    values = first if first == last else f'{first} to {last}'
    return Markup('<text x="{}" y="{}" class="beyond end">{}, off the chart: {}</text>').format(
        _WIDTH - _RIGHT, 11 + 13 * row, series.name, values
    )


def swatch(series: Series) -> Markup:
    """A line's key for a legend."""
    return Markup(
        '<svg class="swatch" viewBox="0 0 34 14" aria-hidden="true"><g class="{}">'
        '<path class="line" d="M1 7H33"/>{}</g></svg>'
    ).format(series.css_class, _marker(series.style, 17, 7))


def nice_ticks(low: float, high: float, number: int = 5) -> list[float]:
    """About ``number`` round values that cover [low, high]."""
    span = (high - low) or abs(high) or 1.0
    rough = span / (number - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return [float(f'{tick * step:.10g}') for tick in range(first, last + 1)]


class _Scale:
    """Data to the picture's coordinates."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]):
        pad = 0.04 * (x[1] - x[0]) or 1.0
        self._x, self._y = (x[0] - pad, x[1] + pad), y

    def x(self, value: float) -> float:
        start, end = self._x
        return _LEFT + (value - start) / (end - start) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        start, end = self._y
        return _HEIGHT - _BOTTOM - (value - start) / (end - start) * (_HEIGHT - _TOP - _BOTTOM)

    def at(self, x: float, y: float) -> str:
        return f'{self.x(x):.1f} {self.y(y):.1f}'


def _spread(values: Sequence[float], most: int = 7) -> list[float]:
    """At most so many of the values, evenly, with the first and the last."""
    chosen = np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int)
    return [values[index] for index in chosen]


def _number(value: float) -> str:
    return f'{value:.2f}'.rstrip('0').rstrip('.') if abs(value) < 1000 else f'{value:.0f}'


def _axes(place: _Scale, xs: Sequence[float], ys: Sequence[float], xlabel: str, ylabel: str) -> Markup:
    text, grid = Markup('<text x="{:.1f}" y="{:.1f}" class="{}">{}</text>'), []
    for tick in ys:
        y = place.y(tick)
        grid.append(Markup('<path class="grid" d="M{} {:.1f}H{}"/>').format(_LEFT, y, _WIDTH - _RIGHT))
        grid.append(text.format(_LEFT - 6, y + 4, 'tick end', _number(tick)))
    bottom = _HEIGHT - _BOTTOM
    for tick in xs:
        x = place.x(tick)
        grid.append(Markup('<path class="axis" d="M{:.1f} {}v5"/>').format(x, bottom))
        grid.append(text.format(x, bottom + 18, 'tick middle', _number(tick)))
    grid.append(Markup('<path class="axis" d="M{} {}H{}"/>').format(_LEFT, bottom, _WIDTH - _RIGHT))
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    grid.append(text.format(middle, _HEIGHT - 5, 'label middle', xlabel))
    rotated = Markup('<text class="label middle" transform="translate(11 {:.0f}) rotate(-90)">{}</text>')
    grid.append(rotated.format((_TOP + bottom) / 2, ylabel))
    return Markup('').join(grid)


def _band(place: _Scale, series: Series, points: Sequence[tuple]) -> Markup:
    known = [point for point in points if point[2]]
    if len(known) < 2:
        return Markup('')
    edge = [place.at(x, y + d) for x, y, d in known]
    edge += [place.at(x, y - d) for x, y, d in reversed(known)]
    return Markup('<path class="band {}" d="M{}Z"/>').format(series.css_class, 'L'.join(edge))


def _line(place: _Scale, series: Series, points: Sequence[tuple], xlabel: str, decimals: int) -> Markup:
    if not points:
        return Markup('')
    path = 'L'.join(place.at(x, y) for x, y, _ in points)
    parts = [Markup('<path class="line" d="M{}"/>').format(path)]
    for x, y, deviation in points:
        value = f'{y:.{decimals}f}' + (f' ± {deviation:.{decimals}f}' if deviation else '')
        told = Markup('<title>{}: {} at {} {}</title>').format(series.name, value, _number(x), xlabel)
        mark = _marker(series.style, place.x(x), place.y(y))
        parts.append(Markup('<g class="point">{}{}</g>').format(told, mark))
    return Markup('<g class="{}">{}</g>').format(series.css_class, Markup('').join(parts))


def _marker(style: int | None, x: float, y: float) -> Markup:
    """A shape for each style, so that color isn't all that tells lines apart."""
    if style is None:
        return Markup('')
    shapes = (
        'm-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0',  # disc
        'm-3.6 -3.6h7.2v7.2h-7.2z',
        'm0 -5l4.8 8.4h-9.6z',
        'm0 -5.2l5.2 5.2l-5.2 5.2l-5.2 -5.2z',
        'm0 5l4.8 -8.4h-9.6z',
        'm-1.5 -4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z',  # plus
        'm-5 -2.5h10v5h-10z',
    )
    shape = shapes[style % len(shapes)]
    return Markup('<path class="mark" d="M{:.1f} {:.1f}{}"/>').format(x, y, shape)


def _in_words(lines: Sequence[tuple], ylabel: str, xlabel: str, decimals: int) -> str:
    told = [
        f'{one.name} from {line[0][1]:.{decimals}f} to {line[-1][1]:.{decimals}f}'
        for one, line in lines
        if line
    ]
    return escape(f'{ylabel} against {xlabel}: {"; ".join(told)}')
