"""Rows of results: what the tables of a batch hold, as plain data."""

from typing import NamedTuple

__all__ = [
    'FORECASTS',
    'INSTANCES',
    'SCHEMA_VERSION',
    'SEGMENTS',
    'Column',
    'forecast_rows',
    'instance_rows',
    'segment_rows',
]

# Raised by 1 with every change of a column that readers would notice; docs/batch_results.md describes it.
SCHEMA_VERSION = 1


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: In the file.
        type: 'string', 'bool', 'int32', 'int64', 'float32', 'float64', or 'mask': a struct of ``size``, two
            int32, and ``counts``, a string.
        nullable: Whether a value may be missing.
    """

    name: str
    type: str
    nullable: bool = False


_STEP = (
    Column('video', 'string'),
    Column('frame', 'int32'),
    Column('time', 'float64', True),
    Column('step', 'int32'),
    Column('target_frame', 'int32'),
    Column('horizon', 'float64', True),
)
# A row is a step of a forecast.
FORECASTS = (*_STEP, Column('num_instances', 'int32', True), Column('visibility', 'float32', True))
# A row is an instance of a step of a forecast.
INSTANCES = (
    *_STEP,
    Column('label', 'int32'),
    Column('class', 'string', True),
    Column('score', 'float32', True),
    Column('x', 'float32', True),
    Column('y', 'float32', True),
    Column('width', 'float32', True),
    Column('height', 'float32', True),
    Column('mask', 'mask', True),
    Column('track', 'int32', True),
    Column('visibility', 'float32', True),
)

# A row is a segment of the panoptic map of a step.
SEGMENTS = (
    *_STEP,
    Column('segment', 'int32'),
    Column('label', 'int32'),
    Column('class', 'string'),
    Column('is_thing', 'bool'),
    Column('area', 'int64'),
)


def forecast_rows(video: str, plain: dict) -> list[dict]:
    """A row per step of a forecast.

    Args:
        video: Its path.
        plain: Of :func:`~mmforecast.apis.inferencers.results.plain_forecast`.
    """
    steps = _steps(video, plain)
    instances, visibility = plain.get('instances'), plain.get('visibility')
    return [
        dict(
            row,
            num_instances=None if instances is None else len(instances[place]),
            visibility=None if visibility is None else visibility[place],
        )
        for place, row in enumerate(steps)
    ]


def instance_rows(video: str, plain: dict) -> list[dict]:
    """A row per instance of each step of a forecast; arguments as for :func:`forecast_rows`."""
    pairs = zip(_steps(video, plain), plain.get('instances', ()))
    return [dict(step, **_instance(entry)) for step, found in pairs for entry in found]


def segment_rows(video: str, plain: dict) -> list[dict]:
    """A row per segment of each step of a forecast; arguments as for :func:`forecast_rows`."""
    pairs = zip(_steps(video, plain), plain.get('segments_info', ()))
    return [dict(step, **_segment(entry)) for step, found in pairs for entry in found]


def _steps(video: str, plain: dict) -> list[dict]:
    return [
        dict(
            video=video,
            frame=plain['last_frame'],
            time=plain['time'],
            step=number,
            target_frame=target,
            horizon=seconds,
        )
        for number, (target, seconds) in enumerate(zip(plain['frames'], plain['seconds'], strict=True), 1)
    ]


def _segment(entry: dict) -> dict:
    return {
        'segment': entry['id'],
        'label': entry['category_id'],
        'class': entry['category'],
        'is_thing': bool(entry['isthing']),
        'area': entry['area'],
    }


def _instance(entry: dict) -> dict:
    x, y, width, height = entry.get('bbox', [None] * 4)
    return dict(
        {'label': entry['label'], 'class': entry.get('class'), 'score': entry.get('score')},
        x=x,
        y=y,
        width=width,
        height=height,
        mask=entry.get('segmentation'),
        track=entry.get('track_id'),
        visibility=entry.get('visibility'),
    )
