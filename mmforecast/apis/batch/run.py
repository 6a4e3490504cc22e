"""A batch from its inputs to its end."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from mmforecast.utils.checks import check_above

from .inputs import find_inputs
from .manifest import Manifest
from .parquet import require_pyarrow
from .progress import Progress
from .ray_pool import require_ray
from .scheduler import Scheduler
from .settings import BatchSettings, check_run, settle_run
from .states import DONE, FAILED, LEFT, SPLIT
from .unit_files import remove_files, remove_partial_files
from .units import Shard, Unit
from .workers import open_pool
from .writing import make_folder

__all__ = ['Summary', 'run_batch']


@dataclass(frozen=True)
class Summary:
    """The units of a batch, or of its shard, at the end of a command.

    Attributes:
        done: Units that are done, by this command or earlier ones.
        earlier: Those of them that were done before.
        failures: Entries of the manifest of units that are failed.
        only_steps: Whether nothing is stored of what was forecast, since the model forecasts frames alone.
    """

    done: int
    earlier: int
    failures: list[dict]
    only_steps: bool


def run_batch(
    inputs: Iterable[str],
    settings: BatchSettings,
    workers: int | None = None,
    threads: int | None = None,
    ray: str | None = None,
    shard: Shard | None = None,
    retry: bool = False,
    unit_timeout: float | None = None,
    log_json: bool = False,
    explain: Callable[[BaseException], str | None] | None = None,
) -> Summary:
    """Forecast videos, as many at a time as there are workers, and go on where an earlier call ended.

    Results are Parquet files and compressed arrays; docs/batch_results.md describes them. A video that cannot
    be forecast is written down, and the others go on. Workers are fresh processes: a script that calls this
    needs the usual ``if __name__ == '__main__'`` guard.

    Args:
        inputs: As for :func:`~.inputs.find_inputs`.
        settings: What is computed, and the folder for it.
        workers: Processes; by default one per GPU, else one, or with Ray as many as there are processors for.
        threads: Threads of each; by default its share of the cores, or with Ray one.
        ray: As for :func:`~.ray_pool.connect`; None: processes on this machine.
        shard: The part of the batch that this call does.
        retry: Try again what has failed before.
        unit_timeout: Seconds after which a unit is failed.
        log_json: Print JSON lines on stdout instead of a line on stderr.
        explain: Makes a sentence of an error, or None; it can be pickled.

    Raises:
        ImportError: pyarrow is not installed.
        OSError: Results cannot be written, another call writes to the folder, or no worker can be started.
        ValueError: The inputs, the settings, the model and the folder do not fit together.
    """
    require_pyarrow()
    if ray is not None:
        require_ray()
    if unit_timeout is not None:
        check_above('run_batch', 0, unit_timeout=unit_timeout)
    shard = shard or Shard()
    found = find_inputs(inputs, settings.folder)
    make_folder(settings.folder)
    check_run(settings)
    with Manifest(settings.folder, shard) as manifest:
        units = [Unit(video, number=number) for number, video in enumerate(found)]
        left, before = _left_units(units, manifest, shard, retry)
        remove_partial_files(manifest.folder, {unit.name for unit in left}.__contains__)
        progress = Progress(len(left), log_json)
        if left:
            build = partial(_build, settings=settings, explain=explain)
            pool, count = open_pool(build, workers, threads, ray, settings.model.get('device') is None)
            settle = partial(_settle, settings, progress)
            scheduler = Scheduler(pool, count, manifest, progress, shard, unit_timeout, settle)
            scheduler.run_and_close(left)
        return _summary(units, manifest, shard, before)


def _build(number: int, **arguments) -> Callable:
    """A worker; what it needs is imported in its process alone."""
    from .worker import build_worker

    return build_worker(number, **arguments)


def _settle(settings: BatchSettings, progress: Progress, built: dict) -> None:
    run = settle_run(settings, built)
    progress.describe(run['built'])


def _left_units(units: list[Unit], manifest: Manifest, shard: Shard, retry: bool) -> tuple[list[Unit], int]:
    """The units to do, written into the manifest, and the number of those that are done."""
    left, done = [], 0
    for unit in units:
        known = manifest.state(unit) == SPLIT
        if not known and not shard.owns(unit.number):
            if shard.spread:
                left.append(Unit(unit.video, number=unit.number, plan_only=True))
            continue
        for part in _parts(unit, manifest, shard):
            state = _state(part, manifest)
            done += state == DONE
            if state in (None, LEFT) or (state == FAILED and retry):
                left.append(part)
    new = [unit for unit in left if manifest.state(unit) != LEFT and not unit.plan_only]
    manifest.record_all((unit, LEFT, {}) for unit in new)
    return left, done


def _parts(unit: Unit, manifest: Manifest, shard: Shard) -> list[Unit]:
    """The units of a video that are the shard's, as far as they are known."""
    if manifest.state(unit) != SPLIT:
        return [unit] if shard.owns(unit.number) else []
    return [part for place, part in enumerate(manifest.stretches(unit)) if shard.owns(unit.number, place)]


def _state(unit: Unit, manifest: Manifest) -> str | None:
    """The state of a unit; None for one whose files somebody has removed."""
    state = manifest.state(unit)
    if state == DONE and not all((manifest.folder / file).exists() for file in manifest.files(unit)):
        remove_files(manifest.folder, unit.name)
        return None
    return state


def _summary(units: list[Unit], manifest: Manifest, shard: Shard, before: int) -> Summary:
    parts = [part for unit in units for part in _parts(unit, manifest, shard)]
    entries = [manifest.entries[part.name] for part in parts]
    done = [entry for entry in entries if entry['state'] == DONE]
    failures = [entry for entry in entries if entry['state'] == FAILED]
    only_steps = bool(done) and all(len(entry['files']) == 1 for entry in done)
    return Summary(len(done), before, failures, only_steps)
