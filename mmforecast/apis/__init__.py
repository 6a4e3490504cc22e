from .compare import (
    Entry,
    apply_baseline,
    baseline_entries,
    baselines_of,
    compare,
    comparison_columns,
    comparison_table,
    save_comparison,
)
from .evaluate import build_forecaster, build_loader, evaluate, load_config, set_horizon
from .inferencers import ForecastInferencer
from .streaming import StreamingForecaster

__all__ = [
    'Entry',
    'ForecastInferencer',
    'StreamingForecaster',
    'apply_baseline',
    'baseline_entries',
    'baselines_of',
    'build_forecaster',
    'build_loader',
    'compare',
    'comparison_columns',
    'comparison_table',
    'evaluate',
    'load_config',
    'save_comparison',
    'set_horizon',
]
