"""The same noise, drawn again and again while the generator learns."""

from pathlib import Path
from typing import Any

import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook

from mmforecast.engine.data_order import ResumableDataLoader, SeededIndex
from mmforecast.fileio.atomic import write_png
from mmforecast.registry import HOOKS
from mmforecast.utils.checks import check_positive
from mmforecast.utils.unwrap import unwrap
from mmforecast.visualization.image_grid import image_grid, to_pictures

__all__ = ['SampleGridHook']


@HOOKS.register_module()
class SampleGridHook(Hook):
    """Writes a grid of images of fixed noise to ``<work_dir>/<out_dir>/iter_<n>.png``, and to the visualizer.

    A model that fills masks fills those of the first training images.

    Args:
        interval: iterations; the last one is drawn too.
        num_images, columns: Of the grid.
        seed: Of the noise.
        use_ema: The averaged generator, where there is one.
        scale: enlargement, an integer >= 1.
        out_dir: folder; a relative one is inside the work dir.
    """

    priority = 'LOW'

    def __init__(
        self,
        interval: int = 500,
        num_images: int = 64,
        columns: int = 8,
        seed: int = 0,
        use_ema: bool = True,
        scale: int = 1,
        out_dir: str = 'samples',
    ):
        check_positive(
            'SampleGridHook', interval=interval, num_images=num_images, columns=columns, scale=scale
        )
        self.interval, self.num_images, self.columns = interval, num_images, columns
        self.seed, self.use_ema, self.scale, self.out_dir = seed, use_ema, scale, out_dir
        self._mask: torch.Tensor | None = None

    def before_train(self, runner: Any) -> None:
        """Fail before the first step, not at the first picture."""
        model = unwrap(runner.model)
        if not hasattr(model, 'sample'):
            raise TypeError(
                f'SampleGridHook draws with the method sample of the model, which a {type(model).__name__} '
                'has not; leave the hook out'
            )

    @master_only
    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        step = runner.iter + 1
        if step % self.interval and step != runner.max_iters:
            return
        model = unwrap(runner.model)
        images = model.sample(
            self.num_images, seed=self.seed, mask=self._masks(runner, model), use_ema=self.use_ema
        )
        grid = image_grid(to_pictures(images), self.columns, self.scale * images.shape[2])
        folder = Path(runner.work_dir) / self.out_dir
        folder.mkdir(parents=True, exist_ok=True)
        write_png(folder / f'iter_{step:06d}.png', grid)
        runner.visualizer.add_image('samples', grid, step=step)

    def _masks(self, runner: Any, model: Any) -> torch.Tensor | None:
        if model.condition.kind != 'mask':
            return None
        if self._mask is None:
            data = runner.train_dataloader.dataset
            seeded = isinstance(runner.train_dataloader, ResumableDataLoader)
            numbers = [n % len(data) for n in range(self.num_images)]
            items = (data[SeededIndex(n, (self.seed, 0, n)) if seeded else n] for n in numbers)
            self._mask = torch.stack([item['data_samples'].gt_mask for item in items]).float()
        return self._mask
