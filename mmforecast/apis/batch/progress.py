"""The progress of a batch: one line for all workers, or JSON lines for machines."""

import json
import sys
import time
from collections.abc import Callable
from typing import IO

from .states import FAILED

__all__ = ['Progress']

# Seconds between lines: on a terminal, where they overwrite each other, in a log, and as JSON.
_TERMINAL, _LOG, _JSON = 0.5, 60, 5


class Progress:
    """Prints how far a batch is.

    Args:
        num_units: Units to do.
        as_json: Print JSON lines, of which ``event`` is 'model', 'start', 'unit', 'progress' or
            'end'.
        stream: Where to; by default stderr, and stdout for JSON.
        clock: Gives seconds.
    """

    def __init__(
        self,
        num_units: int,
        as_json: bool = False,
        stream: IO[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.num_units = num_units
        self.num_finished = self.num_failed = self.num_frames = 0
        self._as_json = as_json
        self._stream = stream or (sys.stdout if as_json else sys.stderr)
        self._terminal = not as_json and self._stream.isatty()
        self._clock = clock
        self._begin = self._printed = clock()
        self._width = 0

    def start(self, num_workers: int) -> None:
        """The first worker is ready."""
        self._begin = self._clock()
        self._event('start', units=self.num_units, workers=num_workers)

    def describe(self, built: dict) -> None:
        """Say which model is run, and what to expect of it."""
        self._event('model', **built)
        if not self._as_json:
            note = f': {built["note"]}' if built.get('note') else ''
            print(f'{built["title"]}{note}', file=self._stream, flush=True)

    def add_frames(self, count: int) -> None:
        """Frames have been done."""
        self.num_frames += count

    def finish(self, entry: dict) -> None:
        """A unit is done or failed; its entry of the manifest."""
        self.num_finished += 1
        self.num_failed += entry['state'] == FAILED
        self._event('unit', **entry)

    def skip(self) -> None:
        """A unit turned out to be nothing to do."""
        self.replace(0)

    def replace(self, count: int) -> None:
        """A unit turned out to be so many."""
        self.num_units += count - 1

    def tick(self) -> None:
        """Print, if it is time to."""
        pause = _JSON if self._as_json else _TERMINAL if self._terminal else _LOG
        if self._clock() - self._printed < pause:
            return
        self._printed = self._clock()
        self._event('progress', **self.numbers())
        if self._terminal:
            self._overwrite(self.line())
        elif not self._as_json:
            print(self.line(), file=self._stream, flush=True)

    def close(self) -> None:
        """Print the end."""
        if self._terminal:
            self._overwrite('')
        self._event('end', **self.numbers())

    def numbers(self) -> dict:
        """What events say of the progress; ``seconds_left`` is None as long as nothing is finished."""
        elapsed = self._clock() - self._begin
        left = self.num_units - self.num_finished
        return dict(
            units=self.num_units,
            finished=self.num_finished,
            failed=self.num_failed,
            frames=self.num_frames,
            frames_per_second=round(self.num_frames / elapsed, 2) if elapsed > 0 else 0.0,
            seconds_left=round(elapsed / self.num_finished * left) if self.num_finished else None,
        )

    def line(self) -> str:
        """One line for people."""
        now = self.numbers()
        left = now['seconds_left']
        failed = f', {now["failed"]} failed' if now['failed'] else ''
        duration = '' if left is None else f', {_duration(left)} left'
        rate = now['frames_per_second']
        return f'{now["finished"]}/{now["units"]} units{failed}, {rate:.1f} frames/s{duration}'

    def _overwrite(self, text: str) -> None:
        self._stream.write('\r' + text.ljust(self._width) + ('' if text else '\r'))
        self._stream.flush()
        self._width = len(text)

    def _event(self, event: str, **more) -> None:
        if self._as_json:
            print(json.dumps(dict(event=event, **more)), file=self._stream, flush=True)


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f'{hours}:{minutes:02d}:{seconds:02d}' if hours else f'{minutes}:{seconds:02d}'
