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
    from .stream_protocol import StreamProtocol, StreamRow, StreamScore
    from .streaming import StreamingForecaster
    from .streaming_evaluation import evaluate_streams, measure_latency
    from .streaming_report import stream_rows, streaming_report

__all__ = [
    'Entry',
    'ForecastInferencer',
    'StreamProtocol',
    'StreamRow',
    'StreamScore',
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
    'evaluate_streams',
    'load_config',
    'measure_latency',
    'save_comparison',
    'set_horizon',
    'stream_rows',
    'streaming_report',
]

# The command line reads apis.shipped for its help, which must not wait for torch.
lazy_exports(__name__, __file__)
