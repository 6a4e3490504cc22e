"""Sampling from a trained generator: the same seed, the same images."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmforecast.models.utils import unit_to_rgb
from mmforecast.utils.checks import (
    check_integer,
    check_keys,
    check_not_empty,
    check_positive,
    check_shape,
)

from .mixes import one_hot_mix
from .noise import draw_noise, slerp, truncate

_DEFAULTS = dict(seed=0, truncation=None, use_ema=True)


class SamplingMixin:
    """``sample`` and ``interpolate`` of a model with ``generator``, ``generator_ema`` and ``condition``."""

    generator: nn.Module
    generator_ema: nn.Module | None

    @staticmethod
    def read_test_cfg(test_cfg: dict | None) -> dict[str, Any]:
        """``seed``, ``truncation`` and ``use_ema`` of ``predict``."""
        check_keys('CreativeGAN', _DEFAULTS, test_cfg=test_cfg or {})
        settings = {**_DEFAULTS, **(test_cfg or {})}
        truncate(torch.zeros(1), settings['truncation'])
        return settings

    @torch.no_grad()
    def sample(
        self,
        n: int,
        seed: int = 0,
        labels: int | Sequence[int] | None = None,
        mask: Tensor | None = None,
        truncation: float | None = None,
        use_ema: bool = True,
        batch_size: int = 64,
        mix: Tensor | None = None,
    ) -> Tensor:
        """Generate images.

        Args:
            n: How many.
            seed: 0 or more; image k of a seed is the same for any ``n`` above k and any ``batch_size``.
            labels: One class for all, or one each, of a model that is conditioned on labels; by default they
                are drawn.
            mask: (1 or n, 1, H, W) in [0, 1], for a model that is conditioned on masks, or on mixes.
            truncation: Bound on the noise, above 0: smaller is more typical and less diverse. None for none.
            use_ema: The averaged generator, where the model has one.
            batch_size: Images per forward pass.
            mix: (1 or n, sum of classes), for a model that is conditioned on mixes; by default single classes
                are drawn.

        Returns:
            (n, 3, H, W) float RGB in [0, 255], on the CPU.
        """
        check_positive('sample', n=n, batch_size=batch_size)
        check_integer('sample', 0, seed=seed)
        condition = self.condition
        noise, drawn = draw_noise(seed, range(n), self.noise_size, condition.num_classes)
        if condition.kind == 'mix':
            wanted = self._expand_mix(n, mix, drawn, labels)
            shapes = None if mask is None else _repeated('mask', mask, n)
            return self._generate(truncate(noise, truncation), wanted, use_ema, batch_size, shapes)
        if mix is not None:
            raise ValueError(f'this model takes no mix: its condition is {condition.kind or "none"}')
        given = self._expand(n, labels, mask)
        wanted = drawn if given is None else given
        return self._generate(truncate(noise, truncation), wanted, use_ema, batch_size)

    @torch.no_grad()
    def interpolate(
        self,
        seeds: Sequence[int],
        steps: int = 8,
        label: int | None = None,
        mask: Tensor | None = None,
        truncation: float | None = None,
        use_ema: bool = True,
        batch_size: int = 64,
        mix: Tensor | None = None,
    ) -> Tensor:
        """Images along the arcs between the first images of ``seeds``, two or more, by :func:`slerp`.

        The condition stays the same all along: ``label``, 0 by default, ``mask``, or ``mix``, by default the
        classes drawn with the first seed.

        Args:
            seeds: Whose image 0 are the ends.
            steps: Images per arc, both its ends among them, at least 2.
            label, mask, truncation, use_ema, batch_size, mix: See ``sample``.

        Returns:
            ((len(seeds) - 1) * (steps - 1) + 1, 3, H, W) float RGB in [0, 255], on the CPU.
        """
        check_not_empty('interpolate', 2, seeds=seeds)
        check_integer('interpolate', 2, steps=steps)
        check_integer('interpolate', 0, seeds=min(seeds))
        ends = [draw_noise(seed, [0], self.noise_size)[0][0] for seed in seeds]
        ends = [truncate(end, truncation) for end in ends]
        share = torch.linspace(0, 1, steps)
        arcs = [slerp(start, end, share)[:-1] for start, end in zip(ends, ends[1:])]
        noise = torch.cat([*arcs, ends[-1][None]])
        if label is None and self.condition.kind == 'label':
            label = 0
        if self.condition.kind == 'mix':
            first = draw_noise(seeds[0], [0], self.noise_size, self.condition.num_classes)[1]
            condition = self._expand_mix(len(noise), mix, first, label)
            shapes = None if mask is None else _repeated('mask', mask, len(noise))
            return self._generate(noise, condition, use_ema, batch_size, shapes)
        condition = self._expand(len(noise), label, mask)
        return self._generate(noise, condition, use_ema, batch_size)

    def _expand_mix(
        self, n: int, mix: Tensor | None, drawn: Tensor, labels: int | Sequence[int] | None
    ) -> Tensor:
        """The mixes of n images, as given, or of the classes that are drawn."""
        attributes = self.condition.attributes
        if labels is not None:
            raise ValueError('this model takes no labels, but a mix of classes: see one_hot_mix')
        if mix is None:
            return one_hot_mix(drawn.unbind(1), attributes).expand(n, -1)
        check_shape('sample', ('N', sum(attributes.values())), mix=mix)
        return _repeated('mix', mix, n)

    def _expand(self, n: int, labels: int | Sequence[int] | None, mask: Tensor | None) -> Tensor | None:
        """The condition of n images, as given; None where none is."""
        kind = self.condition.kind
        if labels is not None and kind != 'label':
            raise ValueError(f'this model takes no labels: its condition is {kind or "none"}')
        if mask is not None and kind != 'mask':
            raise ValueError(f'this model takes no mask: its condition is {kind or "none"}')
        if kind == 'mask' and mask is None:
            raise ValueError(
                'this model fills a shape: give its mask, (1 or n, 1, '
                f'{self.generator.output_scale}, {self.generator.output_scale})'
            )
        if labels is not None:
            labels = torch.as_tensor(labels, dtype=torch.int64)
            if labels.ndim and len(labels) != n:
                raise ValueError(f'labels must be one class, or {n} of them, got {len(labels)}')
            return labels.expand(n)
        if mask is None:
            return None
        return _repeated('mask', mask, n)

    def _generate(
        self,
        noise: Tensor,
        condition: Tensor | None,
        use_ema: bool,
        batch_size: int,
        shapes: Tensor | None = None,
    ) -> Tensor:
        device = next(self.generator.parameters()).device
        images: list[Tensor] = []
        for first in range(0, len(noise), batch_size):
            part = slice(first, first + batch_size)
            wanted = None if condition is None else condition[part].to(device)
            filled = {} if shapes is None else dict(mask=shapes[part].to(device))
            found = self._run(noise[part].to(device), wanted, use_ema, **filled)
            images.append(unit_to_rgb(found.float()).cpu())
        return torch.cat(images)

    def _run(self, noise: Tensor, condition: Tensor | None, use_ema: bool, **filled: Tensor) -> Tensor:
        """Images in [-1, 1] of a generator in eval mode, whose mode is restored."""
        averaged = self.generator_ema if use_ema else None
        generator = self.generator if averaged is None else averaged.module
        training = generator.training
        generator.eval()
        try:
            return generator(noise, condition, **filled)
        finally:
            generator.train(training)


def _repeated(name: str, given: Tensor, n: int) -> Tensor:
    """(1 or n, ...) as (n, ...)."""
    if len(given) not in (1, n):
        raise ValueError(f'{name} must be one, or {n} of them, got {len(given)}')
    return given.expand(n, *given.shape[1:])
