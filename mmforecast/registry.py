"""mmforecast's registries: children of mmengine's roots, siblings of mmdet's and mmseg's.

``locations`` are imported at the first lookup, so no ``register_all_modules()`` call is needed.

Where mmforecast registers nothing, an empty node finds what mmengine's root has; without a node mmengine warns
at the start of every run. There is none for task utilities: under ``default_scope='mmforecast'`` an empty node
would hide mmdet's from mmdet's own unprefixed defaults.
"""

from importlib import import_module
from typing import Any

from mmengine import registry as mmengine_registry
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODEL_WRAPPERS as MMENGINE_MODEL_WRAPPERS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_CONSTRUCTORS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.registry import DefaultScope, Registry

__all__ = [
    'DATASETS',
    'HOOKS',
    'LOOPS',
    'METRICS',
    'MODELS',
    'MODEL_WRAPPERS',
    'OPTIM_WRAPPER_CONSTRUCTORS',
    'TRANSFORMS',
    'VISUALIZERS',
]


class ForecastRegistry(Registry):
    """A registry that also builds its own unprefixed types under the default scope of another library.

    So the parts that a forecaster builds by default are found whatever ``default_scope`` a config has. What
    that library knows by the same name comes first, as everywhere.

    Args:
        on_demand: Modules by the name of the class that each registers; they are imported when that name is
            looked up, because their imports take long.
        args: As for mmengine's ``Registry``.
        settings: Likewise.
    """

    def __init__(self, *args: Any, on_demand: dict[str, str] | None = None, **settings: Any):
        super().__init__(*args, **settings)
        self.on_demand = on_demand or {}

    def get(self, key: str) -> type | None:
        """The class of a name, as :meth:`mmengine.registry.Registry.get`."""
        scope, name = self.split_scope_key(key)
        if scope in (None, self.scope) and name in self.on_demand:
            import_module(self.on_demand[name])
        return super().get(key)

    def import_all(self) -> None:
        """Import all modules that register here, those of ``on_demand`` too."""
        self.import_from_location()
        for module in self.on_demand.values():
            import_module(module)

    def build(self, cfg: dict, *args: Any, **kwargs: Any) -> Any:
        """Build an object from its config, as :meth:`mmengine.registry.Registry.build`."""
        return super().build(self._with_prefix(cfg), *args, **kwargs)

    def _with_prefix(self, cfg: Any) -> Any:
        kind = cfg.get('type') if isinstance(cfg, dict) else None
        default = DefaultScope.get_current_instance()
        scope = None if default is None else default.scope_name
        if not isinstance(kind, str) or '.' in kind or '_scope_' in cfg or scope in (None, self.scope):
            return cfg
        self.import_from_location()
        with self.switch_scope_and_registry(None) as other:
            known = other is not self and other.get(kind) is not None
        if known or not {kind} & {*self.module_dict, *self.on_demand}:
            return cfg
        cfg = cfg.copy()
        cfg['type'] = f'{self.scope}.{kind}'
        return cfg


# Forecasters, encoders, predictors, decoders, losses and data preprocessors.
MODELS = ForecastRegistry(
    'model',
    parent=MMENGINE_MODELS,
    locations=[
        'mmforecast.models',
        'mmforecast.creative.models',
        'mmforecast.creative.losses',
    ],
    # It imports mmdet's models.
    on_demand=dict(ClipDetDataPreprocessor='mmforecast.models.data_preprocessors.clip_det_data_preprocessor'),
    scope='mmforecast',
)

# Adversarial training over several processes, and with two optimizers.
MODEL_WRAPPERS = ForecastRegistry(
    'model_wrapper',
    parent=MMENGINE_MODEL_WRAPPERS,
    locations=['mmforecast.models'],
    scope='mmforecast',
)
OPTIM_WRAPPER_CONSTRUCTORS = ForecastRegistry(
    'optimizer wrapper constructor',
    parent=MMENGINE_CONSTRUCTORS,
    locations=['mmforecast.engine'],
    scope='mmforecast',
)

# Sequence datasets, and the clip transforms of their pipelines.
DATASETS = ForecastRegistry(
    'dataset',
    parent=MMENGINE_DATASETS,
    locations=['mmforecast.datasets', 'mmforecast.creative.datasets'],
    scope='mmforecast',
)
TRANSFORMS = ForecastRegistry(
    'transform',
    parent=MMENGINE_TRANSFORMS,
    locations=['mmforecast.datasets.transforms', 'mmforecast.creative.datasets'],
    scope='mmforecast',
)

# Metrics over `ForecastDataSample`.
METRICS = ForecastRegistry(
    'metric',
    parent=MMENGINE_METRICS,
    locations=['mmforecast.evaluation', 'mmforecast.creative.evaluation'],
    scope='mmforecast',
)

# mmengine's training loops, made to resume exactly.
LOOPS = ForecastRegistry('loop', parent=MMENGINE_LOOPS, locations=['mmforecast.engine'], scope='mmforecast')

# Hooks that mmengine lacks, and the visualizer of forecasts.
HOOKS = ForecastRegistry(
    'hook',
    parent=MMENGINE_HOOKS,
    locations=['mmforecast.engine', 'mmforecast.creative.hooks'],
    scope='mmforecast',
)
VISUALIZERS = ForecastRegistry(
    'visualizer',
    parent=MMENGINE_VISUALIZERS,
    locations=['mmforecast.visualization'],
    scope='mmforecast',
)

# Found in mmengine's root.
for _root in (
    mmengine_registry.DATA_SAMPLERS,
    mmengine_registry.EVALUATOR,
    mmengine_registry.LOG_PROCESSORS,
    mmengine_registry.OPTIMIZERS,
    mmengine_registry.OPTIM_WRAPPERS,
    mmengine_registry.PARAM_SCHEDULERS,
    mmengine_registry.RUNNERS,
    mmengine_registry.VISBACKENDS,
    mmengine_registry.WEIGHT_INITIALIZERS,
):
    Registry(_root.name, parent=_root, locations=['mmforecast.registry'], scope='mmforecast')
