"""The order of initialization: drawn weights first, then a part's own start, and weights from files last."""

from collections.abc import Sequence
from typing import Any

from mmengine.model import PretrainedInit


def split_init_cfg(
    init_cfg: dict | Sequence[dict] | None,
) -> tuple[list[dict], list[tuple[str, dict]]]:
    """Separate the initializations that draw weights from those that read them from a file.

    Args:
        init_cfg: One config or several, as of mmengine's ``BaseModule``; 'Pretrained' may also stand in an
            ``override``.

    Returns:
        The configs that draw weights, and those that read files, each with the name of the child module that
        it is for ('' for the whole).
    """
    configs = [init_cfg] if isinstance(init_cfg, dict) else list(init_cfg or ())
    drawn, read = [], []
    for config in configs:
        if _reads_file(config):
            read.append(('', config))
            continue
        overrides = config.get('override') or []
        overrides = [overrides] if isinstance(overrides, dict) else list(overrides)
        rest = [override for override in overrides if not _reads_file(override)]
        for override in overrides:
            if _reads_file(override):
                read.append((override['name'], _without(override, 'name')))
        config = _without(config, 'override')
        drawn.append({**config, 'override': rest} if rest else config)
    return drawn, read


def _reads_file(config: dict) -> bool:
    kind = config.get('type')
    return kind is PretrainedInit or (isinstance(kind, str) and kind.rpartition('.')[2] == 'Pretrained')


def _without(config: dict, key: str) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name != key}
