from .compare import (
    BASELINES,
    Entry,
    baseline_entries,
    compare,
    comparison_columns,
    save_comparison,
)
from .evaluate import build_forecaster, build_loader, evaluate, load_config, set_horizon

__all__ = [
    'BASELINES',
    'Entry',
    'baseline_entries',
    'build_forecaster',
    'build_loader',
    'compare',
    'comparison_columns',
    'evaluate',
    'load_config',
    'save_comparison',
    'set_horizon',
]
