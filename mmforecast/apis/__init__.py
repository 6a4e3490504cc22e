"""Inference, comparison, reports and extraction, as functions; imported on first use."""

from typing import TYPE_CHECKING

from mmforecast.utils.lazy_exports import lazy_exports

if TYPE_CHECKING:
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
    from .offline import evaluate_results
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
    'evaluate_results',
    'load_config',
    'save_comparison',
    'set_horizon',
]

# The command line reads apis.shipped for its help, which must not wait for torch.
lazy_exports(__name__, __file__)
