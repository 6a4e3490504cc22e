"""mmforecast's registries: children of mmengine's roots, siblings of mmdet's and mmseg's.

Only nodes that mmforecast fills exist here. A node that exists but stays empty makes the unprefixed
default types of other libraries fail; a node that does not exist falls back to mmengine's root.
``locations`` are imported at the first lookup, so no ``register_all_modules()`` call is needed.
"""

from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODEL_WRAPPERS as MMENGINE_MODEL_WRAPPERS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_CONSTRUCTORS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.registry import Registry

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

# Forecasters, encoders, predictors, decoders, losses and data preprocessors.
MODELS = Registry(
    'model',
    parent=MMENGINE_MODELS,
    locations=[
        'mmforecast.models',
        # apart, because it imports mmdet's models
        'mmforecast.models.data_preprocessors.clip_det_data_preprocessor',
        'mmforecast.creative.models',
        'mmforecast.creative.losses',
    ],
    scope='mmforecast',
)

# Adversarial training over several processes, and with two optimizers.
MODEL_WRAPPERS = Registry(
    'model_wrapper',
    parent=MMENGINE_MODEL_WRAPPERS,
    locations=['mmforecast.models'],
    scope='mmforecast',
)
OPTIM_WRAPPER_CONSTRUCTORS = Registry(
    'optimizer wrapper constructor',
    parent=MMENGINE_CONSTRUCTORS,
    locations=['mmforecast.engine'],
    scope='mmforecast',
)

# Sequence datasets, and the clip transforms of their pipelines.
DATASETS = Registry(
    'dataset',
    parent=MMENGINE_DATASETS,
    locations=['mmforecast.datasets', 'mmforecast.creative.datasets'],
    scope='mmforecast',
)
TRANSFORMS = Registry(
    'transform',
    parent=MMENGINE_TRANSFORMS,
    locations=['mmforecast.datasets.transforms', 'mmforecast.creative.datasets'],
    scope='mmforecast',
)

# Metrics over `ForecastDataSample`.
METRICS = Registry(
    'metric',
    parent=MMENGINE_METRICS,
    locations=['mmforecast.evaluation', 'mmforecast.creative.evaluation'],
    scope='mmforecast',
)

# mmengine's training loops, made to resume exactly.
LOOPS = Registry('loop', parent=MMENGINE_LOOPS, locations=['mmforecast.engine'], scope='mmforecast')

# Hooks that mmengine lacks, and the visualizer of forecasts.
HOOKS = Registry(
    'hook',
    parent=MMENGINE_HOOKS,
    locations=['mmforecast.engine', 'mmforecast.creative.hooks'],
    scope='mmforecast',
)
VISUALIZERS = Registry(
    'visualizer',
    parent=MMENGINE_VISUALIZERS,
    locations=['mmforecast.visualization'],
    scope='mmforecast',
)
