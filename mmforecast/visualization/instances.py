"""Pure functions that draw instances: masks, outlines and names on an RGB picture."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmengine.structures import InstanceData

from .clip import to_numpy
from .drawing import EMPTY, INK, WHITE, blend, draw_text, render_panel, resize_image, text_width
from .palette import class_shades, track_colors

# With less overlap (IoU) a forecast and a true object are no pair.
_MIN_IOU = 0.1
# Of an instance, less than this share of which the newest frame showed, the color is half as strong.
_SURE = 0.5
_NO_ID = -1
# Names stay clear of a forecast's red border.
_MARGIN = 5
_LUMINANCE = (0.299, 0.587, 0.114)


def draw_instances(
    image: np.ndarray,
    instances: InstanceData,
    classes: Sequence[str] | None = None,
    alpha: float = 0.6,
    score_thr: float = 0.5,
    truth: InstanceData | None = None,
    text_size: int = 12,
) -> np.ndarray:
    """Lay instances over an image: a mask, its outline inside it, and the class with the score.

    Boxes (``fill_boxes``) are drawn as frames, all of them to be seen.

    An instance with a ``visibility`` below 0.5 is a guess, and is drawn fainter.

    Where masks overlap the surest lies on top, as in
    :func:`~mmforecast.structures.instances_to_sem_seg`. Pixels that no mask and no name covers
    stay as they are. A name is left out where the object is small or other names are in the way.

    Colors are those of ``ids`` where there are any, or of ``track_ids``. Else a forecast is paired
    with the true object of its class that it overlaps most, and has its color, so that the two are
    seen to belong together; without a partner it has a shade of its class. Where an object was
    expected (``centroids``) there is a cross.

    Args:
        image: uint8 (H, W, 3), RGB.
        instances: N instances: ``labels`` (N,), ``masks`` (N, h, w), brought to the image's size;
            optional ``scores`` (N,) and ``visibility`` (N,) in [0, 1], ``ids`` or ``track_ids`` (N,), and
            ``centroids`` (N, 2), x and y in pixels of the masks.
        classes: Names by label, unless the instances carry ``instance_classes``; no names are drawn if None.
        alpha: Share of the instances' colors, in [0, 1].
        score_thr: Instances with a lower score are left out.
        truth: True instances of the same frame, with ``ids``, to take colors from.
        text_size: Height of the names' font.

    Returns:
        uint8 (H, W, 3), RGB.
    """
    instances = _shown(instances, score_thr)
    if not len(instances):
        return image.copy()
    masks = resize_masks(to_numpy(instances.masks), image.shape[:2])
    colors = instance_colors(instances, masks, truth)
    owners = np.full(image.shape[:2], -1, dtype=np.int32)
    for index, mask in enumerate(masks):
        owners[mask] = index
    strength = _strength(instances)
    if instances.get('filled_boxes', False):
        picture = image.copy()
        for mask, color, share in zip(masks, colors, strength, strict=True):
            _paint(picture, _outline(mask), color, share)
    else:
        picture = blend(image, owners, colors, alpha)
        for index, (color, share) in enumerate(zip(colors, strength, strict=True)):
            if share < 1:
                _paint(picture, owners == index, image[owners == index], 1 - share)
            _paint(picture, _outline(owners == index), _outline_color(color), share)
    if 'centroids' in instances:
        stretch = np.array(image.shape[1::-1]) / instances.masks.shape[:0:-1]
        _draw_crosses(picture, to_numpy(instances.centroids) * stretch)
    classes = instances.get('instance_classes', classes)
    if classes is None:
        return picture
    names = _names(instances, classes)
    return _draw_names(picture, owners, names, colors, text_size)


def render_instances(
    frame: np.ndarray | None,
    instances: InstanceData | None,
    size: Sequence[int],
    classes: Sequence[str] | None = None,
    alpha: float = 0.6,
    score_thr: float = 0.5,
    truth: InstanceData | None = None,
) -> np.ndarray:
    """One picture of a clip at ``size`` (H, W), from whatever is known of it.

    Like :func:`~mmforecast.visualization.drawing.render_panel`, with instances for the label map;
    without a frame they are painted opaque on a plain ground.
    """
    if instances is None:
        return render_panel(frame, None, size)
    if frame is None:
        image, alpha = np.full((*size, 3), EMPTY, dtype=np.uint8), 1.0
    else:
        image = resize_image(frame, size)
    return draw_instances(image, instances, classes, alpha, score_thr, truth)


def resize_masks(masks: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Boolean (N, H, W) copies of (N, h, w) masks at ``size`` (H, W), with smooth edges."""
    if masks.shape[1:] == tuple(size):
        return masks.astype(bool)
    method = cv2.INTER_AREA if masks.shape[1] > size[0] else cv2.INTER_LINEAR
    resized = [
        cv2.resize(mask.astype(np.float32), (size[1], size[0]), interpolation=method) >= 0.5 for mask in masks
    ]
    return np.asarray(resized).reshape(len(masks), *size)


def instance_colors(
    instances: InstanceData, masks: np.ndarray, truth: InstanceData | None = None
) -> np.ndarray:
    """Colors as :func:`draw_instances` tells.

    Args:
        instances: N instances with ``labels`` and maybe ``ids`` or ``track_ids``, the surest last.
        masks: Their masks, bool (N, H, W).
        truth: True instances with ``ids``, or None.

    Returns:
        uint8 (N, 3), RGB.
    """
    labels = to_numpy(instances.labels)
    ids = np.full(len(labels), _NO_ID)
    if 'ids' in instances:
        ids = to_numpy(instances.ids)
    elif 'track_ids' in instances:
        ids = to_numpy(instances.track_ids) + 1000 * labels
    elif truth is not None and 'ids' in truth and len(truth):
        ids = matched_ids(labels, masks, truth)
    shades = class_shades(labels[::-1].tolist())[::-1]
    return np.where((ids == _NO_ID)[:, None], shades, track_colors(ids.tolist()))


def matched_ids(labels: np.ndarray, masks: np.ndarray, truth: InstanceData) -> np.ndarray:
    """Ids of other instances of the same label, paired greedily by greatest overlap (IoU of 0.1 or more).

    Args:
        labels: (N,).
        masks: bool (N, H, W).
        truth: The others, with ``labels``, ``masks`` and ``ids``.

    Returns:
        (N,), -1 without a partner.
    """
    true_masks = resize_masks(to_numpy(truth.masks), masks.shape[1:]).reshape(len(truth), -1)
    flat, true_flat = masks.reshape(len(masks), -1).astype(np.float32), true_masks.T
    common = flat @ true_flat.astype(np.float32)
    union = flat.sum(1)[:, None] + true_flat.sum(0) - common
    iou = np.where(labels[:, None] == to_numpy(truth.labels), common / np.maximum(union, 1), 0)
    ids, true_ids = np.full(len(labels), _NO_ID), to_numpy(truth.ids)
    for _ in labels:
        ours, theirs = np.unravel_index(iou.argmax(), iou.shape)
        if iou[ours, theirs] < _MIN_IOU:
            break
        ids[ours] = true_ids[theirs]
        iou[ours], iou[:, theirs] = 0, 0
    return ids


def _shown(instances: InstanceData, score_thr: float) -> InstanceData:
    """Those that are drawn, the surest last."""
    if 'scores' not in instances or not len(instances):
        return instances
    scores = to_numpy(instances.scores)
    order = np.argsort(scores, kind='stable')
    return instances[order[scores[order] >= score_thr]]


def _strength(instances: InstanceData) -> np.ndarray:
    """(N,) factors on the colors: 0.5 for instances that are guesses."""
    if 'visibility' not in instances:
        return np.ones(len(instances))
    return np.where(to_numpy(instances.visibility) < _SURE, 0.5, 1.0)


def _paint(picture: np.ndarray, where: np.ndarray, color: np.ndarray, share: float) -> None:
    """Mix ``share`` of a color into the pixels ``where``, in place."""
    picture[where] = np.round(share * np.asarray(color) + (1 - share) * picture[where]).astype(np.uint8)


def _outline(mask: np.ndarray) -> np.ndarray:
    """The mask's own pixels along its edge; the picture's edge is none."""
    width = max(1, mask.shape[0] // 128)
    kernel = np.ones((2 * width + 1, 2 * width + 1), dtype=np.uint8)
    without_pinholes = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return mask & (cv2.erode(without_pinholes, kernel) == 0)


def _draw_crosses(picture: np.ndarray, centers: np.ndarray) -> None:
    """Draw a white cross on dark ground at each (x, y), in place."""
    size = max(5, picture.shape[0] // 32)
    for center in np.floor(centers).astype(int).tolist():
        for color, thickness in ((INK, 3), (WHITE, 1)):
            cv2.drawMarker(picture, center, color, cv2.MARKER_CROSS, size, thickness)


def _outline_color(color: np.ndarray) -> np.ndarray:
    return np.round(0.45 * color + 0.55 * np.asarray(WHITE)).astype(np.uint8)


def _names(instances: InstanceData, classes: Sequence[str]) -> list[str]:
    """'car 87', or 'car' where there is no score."""
    names = [classes[label] for label in to_numpy(instances.labels)]
    if 'scores' not in instances:
        return names
    percent = np.round(100 * to_numpy(instances.scores)).astype(int)
    return [f'{name} {score}' for name, score in zip(names, percent, strict=True)]


def _draw_names(
    picture: np.ndarray,
    owners: np.ndarray,
    names: Sequence[str],
    colors: np.ndarray,
    text_size: int,
) -> np.ndarray:
    """Tags above what is seen of the objects, or below or on it where there is no room.

    The surest come first. An object less than half as wide as its tag, or less tall, has none.
    """
    taken = np.zeros(owners.shape, dtype=bool)
    tall = text_size + 3
    for index in reversed(range(len(names))):
        x, y, width, height = _largest_part(owners == index)
        wide = text_width(names[index], text_size) + 6
        if width < wide // 2 or height < tall:
            continue
        left = min(max(x, _MARGIN), owners.shape[1] - wide - _MARGIN)
        low = owners.shape[0] - tall - _MARGIN
        for top in (y - tall, y + height, y):
            place = (slice(top, top + tall), slice(left, left + wide))
            if left < _MARGIN or not _MARGIN <= top <= low or taken[place].any():
                continue
            taken[place] = True
            picture[place] = colors[index]
            ink = INK if colors[index] @ _LUMINANCE > 130 else WHITE
            middle = (left + 3, top + tall // 2)
            picture = draw_text(picture, names[index], middle, ink, text_size, anchor='lm')
            break
    return picture


def _largest_part(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Box (x, y, width, height) of the largest connected part; all 0 without a pixel."""
    count, _, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count == 1:  # the ground alone
        return 0, 0, 0, 0
    *box, _ = boxes[1 + boxes[1:, cv2.CC_STAT_AREA].argmax()]
    return tuple(int(value) for value in box)
