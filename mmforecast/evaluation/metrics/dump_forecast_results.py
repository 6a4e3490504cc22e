"""Writing of forecasts to a file, as a metric that scores nothing."""

from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmforecast.evaluation.results_file import forecast_record, write_results
from mmforecast.registry import METRICS

from .clips import clip_dicts


@METRICS.register_module()
class DumpForecastResults(BaseMetric):
    """The forecasts of the dataset in one file, to score them again without the network.

    ``tools/test.py --out FILE.pkl`` appends it to the evaluator; ``tools/analysis_tools/eval_metric.py`` reads
    the file. All forecasts are held in memory until the end.

    Args:
        out_file_path: File to write, ending in .pkl.
        collect_device: 'cpu' or 'gpu', where the processes' forecasts are brought together.
    """

    def __init__(self, out_file_path: str, collect_device: str = 'cpu') -> None:
        super().__init__(collect_device=collect_device)
        if not str(out_file_path).endswith('.pkl'):
            raise ValueError(f'DumpForecastResults: out_file_path must end in .pkl, got {out_file_path!r}')
        self.out_file_path = out_file_path

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the forecasts of a batch in plain form.

        Args:
            data_batch: Its ``data_samples`` are the clips, which name the forecasts.
            data_samples: ``ForecastDataSample``, or dicts with its fields and metainfo; or a detector's.

        Raises:
            ValueError: The samples are no forecasts of clips.
        """
        forecasts = clip_dicts(data_samples)
        clips = clip_dicts((data_batch or {}).get('data_samples', forecasts))
        for clip, forecast in zip(clips, forecasts, strict=True):
            if not isinstance(forecast, dict) or 'sequence_id' not in clip:
                raise ValueError(
                    'DumpForecastResults writes forecasts of clips, but the model returns '
                    f'{type(forecast).__name__} without a sequence_id: leave out --out FILE.pkl'
                )
            self.results.append(forecast_record(clip, forecast))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Write the file; there are no scores."""
        write_results(self.out_file_path, results)
        print_log(f'Wrote {len(results)} forecasts to {self.out_file_path}.', logger='current')
        return {}
