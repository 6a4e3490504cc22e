"""What a batch computes, and the file that says so beside its results."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mmforecast.fileio.atomic import write_atomically
from mmforecast.utils.checks import check_positive
from mmforecast.version import __version__

from .rows import SCHEMA_VERSION
from .writing import writing

__all__ = ['BatchSettings', 'check_run', 'settle_run']

# Of no consequence for results.
_FREE = ('folder', 'device')
_FILE = 'run.json'


@dataclass(frozen=True)
class BatchSettings:
    """What is computed of each video, and where it is written.

    Args:
        folder: Output folder.
        model: Arguments of :class:`~mmforecast.apis.ForecastInferencer`.
        every: Frames between forecasts; None: a step of the forecast.
        fps: Frames per second, in place of what files say.
        max_frames: Frames of each video to use; None: all.
        streaming: Encode each frame once; None: where the model can.
        batch_size: Clips of a batch, without streaming.
        unit_frames: Split videos into stretches of about so many frames; None: a unit is a video.
        keep_frames: Store forecast frames, too.
        render: Write an MP4 file per unit.
        score_thr: Lowest score of instances that are drawn, in [0, 1].
        panel_height: Pixels of drawn panels.
    """

    folder: str
    model: dict = field(default_factory=dict)
    every: int | None = None
    fps: float | None = None
    max_frames: int | None = None
    streaming: bool | None = None
    batch_size: int = 1
    unit_frames: int | None = None
    keep_frames: bool = False
    render: bool = False
    score_thr: float = 0.5
    panel_height: int = 256

    def __post_init__(self):
        numbers = ('every', 'max_frames', 'batch_size', 'unit_frames')
        given = {name: getattr(self, name) for name in numbers if getattr(self, name) is not None}
        check_positive('BatchSettings', **given)

    def plain(self) -> dict:
        """What decides the results, as JSON knows it."""
        fields = {name: value for name, value in asdict(self).items() if name not in _FREE}
        fields['model'] = {name: value for name, value in self.model.items() if name not in _FREE}
        return json.loads(json.dumps(fields, default=str))


def settle_run(settings: BatchSettings, built: dict) -> dict:
    """Write what a batch computes, or check that an earlier command of the same folder computed the same.

    Args:
        settings: Of this command.
        built: What a worker says of the model that it has built.

    Returns:
        The content of ``run.json``.

    Raises:
        ResultsError: The file cannot be written.
        ValueError: The folder holds results of other settings, or in another schema.
    """
    earlier = check_run(settings, built)
    if earlier is not None:
        return earlier
    run = _content(settings, built)
    path = Path(settings.folder) / _FILE
    with writing(path):
        write_atomically(str(path), json.dumps(run, indent=1).encode())
    return run


def check_run(settings: BatchSettings, built: dict | None = None) -> dict | None:
    """Check that a folder holds results of these settings, as far as they are known, or none.

    Args:
        settings: As for :func:`settle_run`.
        built: As for :func:`settle_run`; None before a model is built.

    Returns:
        The content of ``run.json``; None where there is no such file.

    Raises:
        ValueError: The folder holds results of other settings, or in another schema.
    """
    path = Path(settings.folder) / _FILE
    if not path.exists():
        return None
    earlier = _read(path)
    differences = _differences(
        earlier, _content(settings, earlier.get('built', {}) if built is None else built)
    )
    if differences:
        raise ValueError(
            f'{os.fspath(settings.folder)} holds results of another batch: {"; ".join(differences[:4])}. Give '
            'the options of that batch, which go on with it, or another output folder'
        )
    return earlier


def _content(settings: BatchSettings, built: dict) -> dict:
    return dict(
        schema_version=SCHEMA_VERSION,
        settings=settings.plain(),
        built=json.loads(json.dumps(built)),
        mmforecast=__version__,
    )


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f'{path} is not the file that a batch writes ({error}): move it away') from error


def _differences(earlier: dict, run: dict) -> list[str]:
    """What a folder's file and a command say differently, apart from the version of the program."""
    if earlier.get('schema_version') != run['schema_version']:
        given = earlier.get('schema_version')
        return [f'its schema has version {given}, and this program writes version {run["schema_version"]}']
    found: dict[str, str] = {}
    for part in ('settings', 'built'):
        before, now = _flat(earlier.get(part, {})), _flat(run[part])
        for key in dict.fromkeys([*before, *now]):
            if before.get(key) != now.get(key):
                found.setdefault(key, f'{key} was {before.get(key)!r}, and is {now.get(key)!r} now')
    return list(found.values())


def _flat(settings: dict) -> dict:
    """Settings with the arguments of the model beside the others."""
    others = {name: value for name, value in settings.items() if name != 'model'}
    return {**others, **settings.get('model', {})}
