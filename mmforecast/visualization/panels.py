"""Panels of label maps, instances and panoptic maps, drawn in one style."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from mmengine.structures import InstanceData

from .drawing import render_panel, resize_image, resize_labels
from .instances import draw_instances, render_instances
from .panoptic import PanopticMap


@dataclass(frozen=True)
class PanelStyle:
    """What the panels of one picture have in common.

    Args:
        size: (H, W) of a panel.
        palette: RGB triple per class of a label map; generated if None.
        alpha: Share of the colors over the frame, in [0, 1].
        instance_classes: Names by instance label; instances are drawn without names if None.
        score_thr: Instances with a lower score are left out.
    """

    size: tuple[int, int]
    palette: Sequence | None = None
    alpha: float = 0.6
    instance_classes: Sequence[str] | None = None
    score_thr: float = 0.5

    def draw(
        self,
        frame: np.ndarray | None,
        overlay: np.ndarray | InstanceData | PanopticMap | None,
        truth: np.ndarray | InstanceData | PanopticMap | None = None,
        visible: np.ndarray | None = None,
    ) -> np.ndarray:
        """One panel.

        Args:
            frame: uint8 (h, w, 3), RGB, if known.
            overlay: Label map (h, w), instances or panoptic map, if known; or a picture (h, w, 3) in the
                frame's place.
            truth: True overlay of the same kind, which instances and things take their colors from.
            visible: bool (h, w): where a label map is more than a guess; elsewhere it is drawn fainter.

        Returns:
            uint8 (H, W, 3), RGB.
        """
        if isinstance(overlay, np.ndarray) and overlay.ndim == 3:
            return resize_image(overlay, self.size)
        if isinstance(overlay, PanopticMap):
            ground = self.draw(frame, overlay.stuff, visible=visible)
            alpha, true_things = 1.0 if frame is None else self.alpha, truth and truth.things
            return draw_instances(ground, overlay.things, self.instance_classes, alpha, truth=true_things)
        if not isinstance(overlay, InstanceData):
            panel = render_panel(frame, overlay, self.size, self.palette, self.alpha)
            if visible is None or frame is None or overlay is None:
                return panel
            guessed = resize_labels(visible, self.size) == 0
            plain = render_panel(frame, None, self.size)[guessed].astype(np.uint16)
            panel[guessed] = (plain + panel[guessed]) // 2
            return panel
        return render_instances(
            frame,
            overlay,
            self.size,
            classes=self.instance_classes,
            alpha=self.alpha,
            score_thr=self.score_thr,
            truth=truth,
        )
