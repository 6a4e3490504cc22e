"""Description of a training step whose loss or gradients are not finite."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

__all__ = [
    'DivergenceError',
    'Losses',
    'all_finite',
    'describe_samples',
    'loss_terms',
    'named_gradients',
    'not_finite',
    'what_diverged',
]

_SAMPLE_KEYS = (
    'sequence_id',
    'frame_indices',
    'frame_names',
    'img_paths',
    'img_path',
    'sample_idx',
)


class DivergenceError(RuntimeError):
    """Training stopped because its loss or gradients are not finite; the message says where."""


@dataclass
class Losses:
    """The losses of one forward pass, and what they are of.

    Attributes:
        iteration: 1-based, as it is logged.
        terms: Each a scalar, as the model names them.
        samples: Of the batch.
        inputs: Of the batch, after the data preprocessor; None where that has another form.
    """

    iteration: int
    terms: dict[str, Tensor]
    samples: Sequence[Any] = field(default=(), repr=False)
    inputs: Tensor | None = field(default=None, repr=False)


def loss_terms(output: Mapping[str, Any]) -> dict[str, Tensor]:
    """Those entries of a model's output that are minimised, each as a scalar.

    As mmengine's ``parse_losses`` reads it: names with 'loss' in them, tensors and lists of tensors.
    """
    terms = {}
    for name, value in output.items():
        values = [value] if torch.is_tensor(value) else value
        if 'loss' in name and isinstance(values, (list, tuple)) and all(map(torch.is_tensor, values)):
            terms[name] = sum(part.detach().mean() for part in values)
    return {name: term for name, term in terms.items() if torch.is_tensor(term)}


def all_finite(losses: Iterable[Losses], gradients: Sequence[Tensor]) -> Tensor | None:
    """Whether all of it is: a 0-dim float, 1 or 0, without waiting for an accelerator.

    None where there is nothing to look at.
    """
    largest = [term.float() for entry in losses for term in entry.terms.values()]
    if gradients:
        largest.append(torch.nn.utils.get_total_norm(gradients, float('inf')).float())
    if not largest:
        return None
    device = largest[-1].device
    return torch.stack([value.to(device) for value in largest]).isfinite().all().float()


def not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """The names of those that hold NaN or infinity."""
    return [name for name, value in tensors.items() if not bool(value.isfinite().all())]


def describe_samples(losses: Losses) -> list[dict[str, Any]]:
    """Each sample of a batch by its metainfo, in plain containers: sequence, frames, paths, number.

    A sample whose input isn't finite has ``bad_input=True``.
    """
    described = []
    for number, sample in enumerate(losses.samples):
        metainfo = getattr(sample, 'metainfo', {})
        entry = {key: metainfo[key] for key in _SAMPLE_KEYS if metainfo.get(key) is not None}
        inputs = losses.inputs
        if inputs is not None and len(inputs) > number and not inputs[number].isfinite().all():
            entry['bad_input'] = True
        described.append(entry)
    return described


def what_diverged(report: Mapping[str, Any]) -> str:
    """One sentence on a report of :class:`~mmforecast.engine.DivergenceHook`."""
    steps = report['steps']
    bad_losses = [
        f'{name} is {value:g}'
        for step in steps
        for name, value in step['losses'].items()
        if not _is_finite(value)
    ]
    parts = [', '.join(dict.fromkeys(bad_losses))] if bad_losses else []
    gradients = report['bad_gradients']
    if gradients:
        parts.append(
            f'the gradients of {len(gradients)} of {report["num_gradients"]} parameters are not '
            f'finite ({gradients[0]}{", ..." if len(gradients) > 1 else ""})'
        )
    if report['bad_weights']:
        parts.append(
            f'{len(report["bad_weights"])} weights were not finite before it ({report["bad_weights"][0]}, ...)'
        )
    of = f' in the step of the {report["network"]}' if report['network'] else ''
    samples = _name_samples(steps, only_bad=bool(bad_losses))
    return f'Iteration {report["iteration"]} diverged{of}: {"; ".join(parts)}; {samples}'


def _is_finite(value: float) -> bool:
    return abs(value) < float('inf')


def _name_samples(steps: Sequence[Mapping[str, Any]], only_bad: bool, most: int = 4) -> str:
    """The samples behind it: those of steps with a bad loss, and of these the bad inputs if any."""
    if only_bad:
        steps = [step for step in steps if not all(map(_is_finite, step['losses'].values()))]
    samples = [sample for step in steps for sample in step['samples'] if sample]
    spoilt = [sample for sample in samples if 'bad_input' in sample]
    names = [_name_sample(sample) for sample in spoilt or samples]
    if not names:
        return 'its samples have no names'
    rest = f' and {len(names) - most} more' if len(names) > most else ''
    kind = 'its inputs that are not finite' if spoilt else 'its samples'
    return f'{kind}: {", ".join(names[:most])}{rest}'


def _name_sample(sample: Mapping[str, Any]) -> str:
    if 'sequence_id' in sample:
        frames = sample.get('frame_indices') or ['?']
        return f'sequence {sample["sequence_id"]} frames {frames[0]} to {frames[-1]}'
    return str(sample.get('img_path') or f'sample {sample.get("sample_idx", "of no name")}')


def named_gradients(model: nn.Module, parameters: Iterable[nn.Parameter]) -> dict[str, Tensor]:
    """The gradients of some of a model's parameters, by the parameters' names."""
    wanted = {id(parameter) for parameter in parameters}
    return {
        name: parameter.grad
        for name, parameter in model.named_parameters()
        if id(parameter) in wanted and parameter.grad is not None
    }
