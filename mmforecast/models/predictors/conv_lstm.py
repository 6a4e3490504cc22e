"""A recurrent forecast of a pyramid, with links across its levels.

Ours, after the idea of CP-ConvLSTM (Sun et al., NeurIPS 2019) and its successors PFA (Lin et al., ICCV 2021)
and APANet (Hu et al., TPAMI 2021): a convolutional LSTM per level that is told what the levels beside it
remember. None of them has public code, and this is none of them.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import constant_init
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_choice, check_positive

from .context import ForecastContext
from .on_motion import OnMotion

LINKS = ('none', 'top-down', 'both')
_STATE = 'pyramid_conv_lstm'

Memory = tuple[Tensor, Tensor]  # what a cell gives, and its cell state


class ConvLSTMCell(nn.Module):
    """A convolutional LSTM without peepholes (Shi et al., NeurIPS 2015).

    It has 4 h (i + h) k^2 + 4 h parameters for i input and h hidden channels. The bias of the forget gate
    starts at 1.

    Args:
        channels: i.
        hidden: h.
        kernel: k.
    """

    def __init__(self, channels: int, hidden: int, kernel: int = 3):
        super().__init__()
        self.hidden = hidden
        self.gates = nn.Conv2d(channels + hidden, 4 * hidden, kernel, padding=kernel // 2)
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Set the bias of the forget gate to 1."""
        self.gates.bias[self.hidden : 2 * self.hidden] = 1

    def forward(self, maps: Tensor, memory: Memory | None) -> Memory:
        """The next memory, from maps (B, i, h, w) and the one before; None for an empty one."""
        if memory is None:
            empty = maps.new_zeros(len(maps), self.hidden, *maps.shape[-2:])
            memory = empty, empty
        given, forgotten, shown, content = self.gates(torch.cat((maps, memory[0]), dim=1)).chunk(4, dim=1)
        cell = forgotten.sigmoid() * memory[1] + given.sigmoid() * content.tanh()
        return shown.sigmoid() * cell.tanh(), cell


class RecurrentLevel(nn.Module):
    """The recurrent network of one level.

    Args:
        channels: C of the maps.
        hidden: Channels of the memory.
        num_cells: Cells, one upon the other.
        kernel: Of the cells.
        patch_size: The network works on patches of so many cells of the map squared.
        num_links: Levels whose memory it reads.
        moved: Whether the output reads a moved map, too.
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        num_cells: int,
        kernel: int,
        patch_size: int,
        num_links: int,
        moved: bool,
    ):
        super().__init__()
        self.patch_size = patch_size
        width = channels * patch_size**2
        self.squeeze = nn.Conv2d(width, hidden, 1)
        inputs = [hidden * (1 + num_links)] + [hidden] * (num_cells - 1)
        self.cells = nn.ModuleList(ConvLSTMCell(seen, hidden, kernel) for seen in inputs)
        self.out = nn.Conv2d(hidden, width, 1)
        self.mix = None
        if moved:
            self.mix = nn.Sequential(
                nn.Conv2d(hidden + width, hidden, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(hidden, hidden, 3, padding=1),
                nn.ReLU(),
            )

    def remember(self, maps: Tensor, links: list[Tensor], memories: list[Memory] | None) -> list[Memory]:
        """The next memories of all cells, from maps (B, C, h, w) and what other levels remember."""
        seen = torch.cat((self.squeeze(self.to_patches(maps)), *links), dim=1)
        out = []
        for index, cell in enumerate(self.cells):
            out.append(cell(seen, None if memories is None else memories[index]))
            seen = out[-1][0]
        return out

    def correction(self, memories: list[Memory], moved: Tensor | None) -> Tensor:
        """What is added to the map (B, C, h, w) that the forecast starts from."""
        hidden = memories[-1][0]
        if self.mix is not None:
            hidden = self.mix(torch.cat((hidden, self.to_patches(moved)), dim=1))
        return F.pixel_shuffle(self.out(hidden), self.patch_size)

    def to_patches(self, maps: Tensor) -> Tensor:
        """(B, C, h, w) to (B, C p^2, h/p, w/p)."""
        return F.pixel_unshuffle(maps, self.patch_size)


@MODELS.register_module()
class PyramidConvLSTM(OnMotion):
    """Forecasts every level by ConvLSTMs that see what the levels beside theirs remember.

    The window is read map by map, from the coarsest level to the finest; then each forecast is read in turn. A
    level's forecast is its newest map plus a correction, which starts at zero, so the untrained network
    repeats the newest map. With ``motion`` it is the map that another predictor has moved, plus a correction
    that sees it, and the untrained network is that predictor.

    Args:
        channels, num_levels, num_past: See ``BasePredictor``.
        hidden: Channels of the memories.
        num_cells: Cells per level, one upon the other.
        kernel: Of the cells, odd.
        patch_size: The networks work on patches of so many cells of their maps squared, for maps that are
            large or sparse, such as scores.
        links: 'top-down' joins what the coarser level has just remembered to a level's input, upsampled;
            'both' also what the finer one remembered a frame before, downsampled; 'none' keeps levels apart.
        motion: Config of a predictor that moves the maps, e.g. ``dict(type='EgoMotion')``; None starts from
            the newest map.
        class_scores: Whether the maps hold scores of classes, for a ``motion`` that asks; see ``EgoMotion``.
        frozen: ``motion`` keeps its weights, if it has any.
        kwargs: See ``BasePredictor``.

    Raises:
        ValueError: ``motion`` forecasts several steps per call.
    """

    def __init__(
        self,
        channels: int,
        num_levels: int = 1,
        num_past: int = 4,
        hidden: int = 64,
        num_cells: int = 2,
        kernel: int = 3,
        patch_size: int = 1,
        links: str = 'top-down',
        motion: dict | None = None,
        class_scores: bool | None = None,
        frozen: bool = True,
        **kwargs,
    ):
        super().__init__(num_past, channels, num_levels, **kwargs)
        check_positive('PyramidConvLSTM', hidden=hidden, num_cells=num_cells, patch_size=patch_size)
        check_choice('PyramidConvLSTM', LINKS, links=links)
        if kernel < 1 or kernel % 2 == 0:
            raise ValueError(f'PyramidConvLSTM: kernel must be odd, got {kernel}')
        self.links, self.patch_size, self.class_scores = links, patch_size, class_scores
        self.motion = None
        if motion is not None:
            self.build_motion(motion, class_scores, frozen)
        counts = [self._num_links(level, num_levels) for level in range(num_levels)]
        self.levels = nn.ModuleList(
            RecurrentLevel(channels, hidden, num_cells, kernel, patch_size, count, motion is not None)
            for count in counts
        )
        self.apply_own_start()

    def _num_links(self, level: int, num_levels: int) -> int:
        coarser = self.links != 'none' and level < num_levels - 1
        return coarser + (self.links == 'both' and level > 0)

    def apply_own_start(self) -> None:
        for level in self.levels:
            constant_init(level.out, 0)
            for cell in level.cells:
                cell.reset()

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        self.check_window(past)
        self._check_sides(past)
        memories = context.state.get(_STATE)
        for time in range(past[0].shape[1]) if memories is None else [-1]:
            memories = self._remember([maps[:, time] for maps in past], memories)
        context.state[_STATE] = memories
        newest = [maps[:, -1] for maps in past]
        starts = newest if self.motion is None else [maps[:, 0] for maps in self.motion(past, context)]
        return [
            (start + net.correction(memory, start))[:, None]
            for net, memory, start in zip(self.levels, memories, starts)
        ]

    def _remember(self, frame: list[Tensor], before: list | None) -> list[list[Memory]]:
        """Memories of all levels behind one more frame, (B, C, h, w) per level; the coarsest is read first."""
        after: list[list[Memory]] = [[] for _ in frame]
        for level in reversed(range(len(frame))):
            net, size = self.levels[level], [side // self.patch_size for side in frame[level].shape[-2:]]
            linked = []
            if self.links != 'none' and level < len(frame) - 1:
                linked.append(after[level + 1][-1][0])
            if self.links == 'both' and level > 0:
                finer = None if before is None else before[level - 1][-1][0]
                linked.append(self._empty(frame[level], size) if finer is None else finer)
            linked = [F.interpolate(maps, size=size, mode='bilinear', align_corners=False) for maps in linked]
            after[level] = net.remember(frame[level], linked, None if before is None else before[level])
        return after

    def _empty(self, maps: Tensor, size: list[int]) -> Tensor:
        return maps.new_zeros(len(maps), self.levels[0].cells[-1].hidden, *size)

    def _check_sides(self, past: Pyramid) -> None:
        for maps in past:
            if any(side % self.patch_size for side in maps.shape[-2:]):
                raise ValueError(
                    f'PyramidConvLSTM: sides of all levels must be multiples of patch_size={self.patch_size}, '
                    f'got {tuple(maps.shape[-2:])}; set another patch_size, or the size of the encoder'
                )
