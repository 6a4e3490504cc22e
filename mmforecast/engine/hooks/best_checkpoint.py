"""The best checkpoint: which way its score is better, and when it replaces the last one."""

import difflib
import os
from typing import Any

from mmforecast.evaluation.score_style import known_style

__all__ = ['BestCheckpoint']


class BestCheckpoint:
    """Mixin of a ``CheckpointHook``; comes before it in the bases.

    The old best checkpoint is removed only after the new one is on the disk. A run resumed with another
    ``save_best`` forgets the best score of the old one.
    """

    def _init_rule(self, rules: list[str | None], key_indicators: list[str]) -> None:
        # mmengine's method takes what is still None from greater_keys and less_keys, by parts of names.
        rules = rules * len(key_indicators) if len(rules) == 1 else rules
        rules = [rule or self._known_rule(key) for rule, key in zip(rules, key_indicators)]
        try:
            super()._init_rule(rules, key_indicators)
        except ValueError as error:
            raise ValueError(
                f'save_best: {error} Add rule="greater" or rule="less" to the checkpoint hook.'
            ) from error

    def _known_rule(self, key: str) -> str | None:
        style, listed = known_style(key), (*self.greater_keys, *self.less_keys)
        if style is None or key.lower() in map(str.lower, listed):
            return None
        if style.best == 'one':
            raise ValueError(
                f'save_best: {key} is best at 1, neither where it is greatest nor where it is least; '
                'choose another score'
            )
        return {'max': 'greater', 'min': 'less'}[style.best]

    def _save_best_checkpoint(self, runner: Any, metrics: dict) -> None:
        self._check_best(runner, metrics)
        # mmengine's method removes the old best before it writes the new one.
        backend = self.file_backend
        self.file_backend = _LateRemoval(backend)
        try:
            with self._undone_on_failure(runner, 'the best checkpoint'):
                super()._save_best_checkpoint(runner, metrics)
                outdated = set(self.file_backend.removed) - {self.last_ckpt, *self._best_paths()}
                self.file_backend = backend
                for path in outdated:
                    self._remove(path)
        finally:
            self.file_backend = backend

    def _check_best(self, runner: Any, metrics: dict) -> None:
        """Settle what 'auto' is, and forget the best score so far if it was of another metric.

        Raises:
            ValueError: The validation has no such score.
        """
        if not self.save_best or not metrics:
            return
        if 'auto' in self.key_indicators:
            self._init_rule(self.rules, [next(iter(metrics))])
        for key in self.key_indicators:
            if key not in metrics:
                close = difflib.get_close_matches(key, metrics, n=1, cutoff=0)
                raise ValueError(
                    f'save_best={key!r} is none of the scores of this validation; did you mean {close[0]!r}? '
                    f'It has {", ".join(metrics)}'
                )
        info = runner.message_hub.runtime_info
        chosen = dict(zip(self.key_indicators, self.rules))
        if len(chosen) == 1:
            before = info.get('best_metric') or _metric_of(info.get('best_ckpt'), *chosen.items())
            if before not in (None, chosen):
                best = info.pop('best_ckpt', None)
                runner.logger.warning(
                    f'save_best was {_text(before)} and is {_text(chosen)}: the best checkpoint is chosen anew'
                    + (f', and {best} is kept.' if best else '.')
                )
                info.pop('best_score', None)
                self.best_ckpt_path = None
        runner.message_hub.update_info('best_metric', chosen)

    def _best_paths(self) -> list[str]:
        paths = [
            getattr(self, 'best_ckpt_path', None),
            *getattr(self, 'best_ckpt_path_dict', {}).values(),
        ]
        return [path for path in paths if path is not None]


def _metric_of(best_file: str | None, item: tuple[str, str]) -> dict[str, str] | None:
    """Return ``item`` if a best checkpoint is named after its metric, else the file's name without a rule."""
    if best_file is None:
        return None
    name = os.path.basename(best_file)
    matches = name.startswith(f'best_{item[0]}_'.replace('/', '_'))
    return dict([item]) if matches else {name: ''}


def _text(metrics: dict[str, str]) -> str:
    return ', '.join(f'{key} ({rule})' if rule else f'that of {key}' for key, rule in metrics.items())


class _LateRemoval:
    """A file backend that only notes which files were to be removed."""

    def __init__(self, backend: Any):
        self._backend = backend
        self.removed: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self.removed.append(path)

    rmtree = remove
