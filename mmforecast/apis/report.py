"""A comparison as one page: table, curves, moving pictures, configs, environment."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike

import numpy as np
import torch
from mmengine.config import Config

from mmforecast.structures import ForecastDataSample
from mmforecast.visualization.report import Page, SectionView, clip_view, write_page

from .compare import METRICS, Entry, RunAll, compare, comparison_columns, with_baselines
from .evaluate import build_loader, with_horizon
from .report_parts import (
    charts_of,
    config_view,
    data_sentence,
    environment,
    meanings_of,
    styled_series,
    table_of,
)

__all__ = ['ClipCollector', 'Section', 'make_page', 'report', 'run_section', 'view_of']

ORACLE = 'oracle'


@dataclass
class Section:
    """Methods that are compared on the same clips.

    Attributes:
        title: Heading.
        config: Whose data and encoder the baselines use.
        models: Trained forecasters; the same name for seeds of one method.
        baselines: Names; None for all that the forecaster has.
        horizons: Roll-out steps, each a run of its own; pictures show the longest.
        metrics: What the table shows, where it was measured.
        text: A paragraph below the heading.
    """

    title: str
    config: Config
    models: Sequence[Entry] = ()
    baselines: Sequence[str] | None = None
    horizons: Sequence[int] = (1, 3)
    metrics: Sequence[str] = METRICS
    text: str = ''


@dataclass
class ClipCollector:
    """Keeps the forecasts of a few clips, to be drawn; ``on_sample`` of :func:`compare`.

    Attributes:
        number: How many clips.
        horizon: Roll-out steps of the forecasts that are kept.
        total: Clips of the dataset; those kept lie evenly in it.
        without: Methods that aren't drawn.
        clips: By sequence and frames, the clip (T, 3, H, W) and the samples by method. Of the seeds of a
            method the first is kept.
    """

    number: int
    horizon: int
    total: int
    without: Sequence[str] = (ORACLE,)
    clips: dict[tuple, tuple[torch.Tensor, dict[str, ForecastDataSample]]] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict, repr=False)

    def __post_init__(self):
        positions = (np.arange(self.number) + 0.5) / max(self.number, 1) * self.total
        self._positions = set(positions.astype(int).tolist())

    def merge(self, other: 'ClipCollector') -> None:
        """Add what a copy of this has collected of a later run."""
        for key, (clip, samples) in other.clips.items():
            own = self.clips.setdefault(key, (clip, {}))[1]
            for name, sample in samples.items():
                own.setdefault(name, sample)

    def __call__(self, name: str, steps: int, sample: ForecastDataSample, clip: torch.Tensor) -> None:
        """Keep a sample, if it is of a clip to be drawn."""
        if steps != self.horizon or name in self.without:
            return
        position = self._seen.get(name, 0) % self.total
        self._seen[name] = self._seen.get(name, 0) + 1
        if position in self._positions:
            key = (sample.sequence_id, *sample.frame_indices)
            _, samples = self.clips.setdefault(key, (clip, {}))
            samples.setdefault(name, sample.cpu())


def report(
    sections: Sequence[Section],
    path: str | PathLike,
    title: str,
    text: str = '',
    clips: int = 2,
    height: int = 192,
    run_all: RunAll | None = None,
) -> int:
    """Compare, and write a page.

    Args:
        sections: One after another on the page.
        path: HTML file.
        title: Of the page.
        text: A paragraph below it.
        clips: Clips drawn per section; each adds about 0.3 MB.
        height: Of a picture, in pixels.
        run_all: As for :func:`compare`.

    Returns:
        The page's size in bytes.
    """
    return make_page(path, title, [run_section(one, clips, height, run_all) for one in sections], text)


def make_page(path: str | PathLike, title: str, sections: Sequence[SectionView], text: str = '') -> int:
    """Write a page of sections, with date and environment; its size in bytes."""
    date = datetime.datetime.now().strftime('%Y-%m-%d %H:%M')
    return write_page(path, Page(title, date, sections, text, environment()))


def run_section(
    section: Section, clips: int = 2, height: int = 192, run_all: RunAll | None = None
) -> SectionView:
    """Evaluate a section's methods, and lay out what was found; arguments as for :func:`report`.

    Raises:
        ValueError: ``clips`` is negative, or as :func:`compare` tells.
    """
    if clips < 0:
        raise ValueError(f'clips must be 0 or more, got {clips}')
    horizon = max(section.horizons)
    cfg = with_horizon(section.config, horizon)
    dataset = build_loader(cfg).dataset
    collector = ClipCollector(clips, horizon, len(dataset))
    entries = with_baselines(section.config, section.models, section.baselines)
    rows = compare(entries, sorted(section.horizons), on_sample=collector, run_all=run_all)
    view = view_of(
        section.title,
        rows,
        comparison_columns(rows, section.metrics),
        collector,
        dataset.metainfo,
        height,
    )
    view.text, view.data = section.text, data_sentence(cfg, dataset, section.horizons)
    view.configs = _config_views(section)
    return view


def view_of(
    title: str,
    rows: Sequence[dict],
    columns: Sequence[str],
    collector: ClipCollector,
    meta: Mapping | None = None,
    height: int = 192,
) -> SectionView:
    """Lay out what :func:`compare` found.

    Args:
        title: Heading.
        rows: As from :func:`compare`.
        columns: As from :func:`comparison_columns`.
        collector: Has the clips to be drawn.
        meta: The dataset's metainfo, for colors and names of classes.
        height: Of a picture, in pixels.
    """
    metrics = list(dict.fromkeys(c.split(' @')[0] for c in columns if ' @' in c))
    series = styled_series(rows)
    charts, shown = charts_of(rows, metrics, series)
    clips = [clip_view(samples, clip, meta, height) for clip, samples in collector.clips.values()]
    return SectionView(
        title=title,
        table=table_of(rows, columns, series if charts else {}),
        notes=[f'{row["method"]}: {row["note"]}' for row in rows if 'note' in row],
        meanings=meanings_of(metrics),
        series=shown,
        charts=charts,
        has_bands=any(len(seeds) > 1 for row in rows for seeds in row['curves'].values()),
        clips=clips,
        overlaid=any('pred_frames' not in s for _, by in collector.clips.values() for s in by.values()),
    )


def _config_views(section: Section) -> list:
    """Each file once, with the checkpoints of all its entries."""
    views = {}
    entries = [Entry('data and baselines', section.config), *section.models]
    for entry in entries:
        key = str(entry.config.filename)
        if key not in views:
            views[key] = config_view(entry.name, entry.config)
        elif entry.name not in views[key].name.split(', '):
            views[key].name += f', {entry.name}'
        if entry.checkpoint:
            known = views[key].checkpoint
            views[key].checkpoint = ', '.join(filter(None, [known, str(entry.checkpoint)]))
    return list(views.values())
