"""Accuracy of an attribute classifier."""

from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.structures import BaseDataElement

from mmforecast.creative import MISSING_LABEL
from mmforecast.registry import METRICS


@METRICS.register_module()
class AttributeAccuracy(BaseMetric):
    """Share of images whose ``pred_labels`` are their ``gt_labels``, by attribute.

    Keys are ``<attribute>_accuracy``, in percent, over the images that are labeled; an attribute that none is
    labeled with has none.

    Args:
        collect_device: 'cpu' or 'gpu', where the processes' results are brought together.
        prefix: Put before every key.
    """

    default_prefix = ''  # mmengine warns of None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep by attribute whether each labeled image is right."""
        for sample in data_samples:
            if isinstance(sample, BaseDataElement):
                sample = sample.to_dict()
            truth, found = sample['gt_labels'], sample.get('pred_labels')
            if found is None:
                raise ValueError('a sample has no pred_labels: AttributeAccuracy needs an AttributeClassifier')
            self.results.append(
                {
                    name: label == found[name]
                    for name, label in truth.items()
                    if name in found and label != MISSING_LABEL
                }
            )

    def compute_metrics(self, results: list[dict[str, bool]]) -> dict[str, float]:
        """Accuracies over all images.

        Raises:
            ValueError: No image is labeled.
        """
        names = list(dict.fromkeys(name for entry in results for name in entry))
        if not names:
            raise ValueError(
                'AttributeAccuracy has nothing to score: no image is labelled with an attribute of '
                'the classifier'
            )
        right = {name: [entry[name] for entry in results if name in entry] for name in names}
        return {f'{name}_accuracy': 100 * sum(r) / len(r) for name, r in right.items()}
