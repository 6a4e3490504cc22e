from mmforecast.utils.lazy_exports import lazy_exports

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
lazy_exports(
    __name__,
    compare=[
        'Entry',
        'apply_baseline',
        'baseline_entries',
        'baselines_of',
        'compare',
        'comparison_columns',
        'comparison_table',
        'save_comparison',
    ],
    evaluate=['build_forecaster', 'build_loader', 'evaluate', 'load_config', 'set_horizon'],
    inferencers=['ForecastInferencer'],
    offline=['evaluate_results'],
    streaming=['StreamingForecaster'],
)
