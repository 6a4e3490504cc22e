"""The math of image scores in their standard definitions: PSNR, SSIM and sharpness difference; and energy.

All are of one frame, (3, H, W) RGB in [0, 255], floats or bytes; a forecast isn't rounded. With ``mask``,
(H, W) bool, a score is of the marked pixels alone, and NaN where there is none. PSNR and SSIM are
scikit-image's.
"""

import numpy as np
import skimage.metrics  # it imports its functions, and SciPy, on first use

DATA_RANGE = 255.0
# Pixels on each side that SSIM's 11x11 window needs around it.
SSIM_MARGIN = 5


def psnr(pred: np.ndarray, target: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Peak signal-to-noise ratio, 10 log10(255^2 / mse), the mse over pixels and channels.

    Returns:
        dB; infinite where both are equal.
    """
    pred, target = checked_pair(pred, target, mask)
    if mask is not None:
        pred, target = pred[:, mask], target[:, mask]
    if not pred.size:
        return float('nan')
    with np.errstate(divide='ignore'):
        return float(skimage.metrics.peak_signal_noise_ratio(target, pred, data_range=DATA_RANGE))


def ssim(pred: np.ndarray, target: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Structural similarity (Wang et al., 2004).

    Gaussian window 11x11 with sigma 1.5, K = (.01, .03), covariances of the population. The map is taken where
    the window lies inside the frame ('valid'), channel by channel, and averaged over channels and pixels, or
    over those in ``mask``.

    Returns:
        In [-1, 1]; 1 where both are equal.

    Raises:
        ValueError: The frames are smaller than the window.
    """
    pred, target = checked_pair(pred, target, mask)
    require_window(target)
    _, scores = skimage.metrics.structural_similarity(
        target,
        pred,
        data_range=DATA_RANGE,
        channel_axis=0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    inside = slice(SSIM_MARGIN, -SSIM_MARGIN)
    scores = scores[:, inside, inside]
    return _mean(scores if mask is None else scores[:, mask[inside, inside]])


def sharpness_difference(pred: np.ndarray, target: np.ndarray, mask: np.ndarray | None = None) -> float:
    """The sharpness difference of a forecast to the truth (Mathieu et al., ICLR 2016).

    10 log10(255^2 / mean | g(target) - g(pred) |), where g is the sum of the absolute differences to the
    pixel above and to the pixel on the left. The mean is over channels and over the pixels that have both.

    Returns:
        dB; infinite where g is equal.
    """
    pred, target = checked_pair(pred, target, mask)
    difference = np.abs(sum(gradients(target)) - sum(gradients(pred)))
    if mask is not None:
        difference = difference[:, mask[1:, 1:]]
    if not difference.size:
        return float('nan')
    with np.errstate(divide='ignore'):
        return float(10 * np.log10(DATA_RANGE**2 / difference.mean()))


def gradient_energy(pred: np.ndarray, target: np.ndarray, mask: np.ndarray | None = None) -> float:
    """The mean gradient of a forecast over that of the truth: a measure of sharpness alone, of ours.

    The gradient is g of :func:`sharpness_difference`, over the same pixels. Whether edges are in the right
    places changes nothing: the sharpness difference gains where misplaced edges are blurred, this loses.

    Returns:
        1 where both are as sharp, below 1 for a blur, above 1 for noise and overshooting edges; NaN where the
        truth has no edges.
    """
    pred, target = checked_pair(pred, target, mask)
    ours, true = (sum(gradients(frame)) for frame in (pred, target))
    if mask is not None:
        ours, true = ours[:, mask[1:, 1:]], true[:, mask[1:, 1:]]
    return float(ours.sum() / true.sum()) if true.any() else float('nan')


def gradients(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Absolute differences to the pixel above and to the one on the left, each (C, H - 1, W - 1)."""
    inner = frame[:, 1:, 1:]
    return np.abs(inner - frame[:, :-1, 1:]), np.abs(inner - frame[:, 1:, :-1])


def checked_pair(
    pred: np.ndarray, target: np.ndarray, mask: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Both frames in float64.

    Raises:
        ValueError: They aren't RGB, differ in size, or ``mask`` doesn't fit.
    """
    pred, target = (np.asarray(frame, dtype=np.float64) for frame in (pred, target))
    for name, frame in (('pred', pred), ('target', target)):
        if frame.ndim != 3 or len(frame) != 3:
            raise ValueError(
                f'{name} must be an RGB frame (3, H, W), got shape {frame.shape}: score one frame '
                'at a time, channels first'
            )
    if pred.shape != target.shape:
        raise ValueError(
            f'pred has shape {pred.shape} but target has {target.shape}: bring both to one size before scoring'
        )
    if mask is not None and (mask.shape != pred.shape[1:] or mask.dtype != bool):
        raise ValueError(f'mask must be bool {pred.shape[1:]} (height, width), got {mask.dtype} {mask.shape}')
    return pred, target


def require_window(frame: np.ndarray) -> None:
    """Raise a ValueError where SSIM's window doesn't fit into a frame (C, H, W)."""
    size = 2 * SSIM_MARGIN + 1
    height, width = frame.shape[1:]
    if min(height, width) < size:
        raise ValueError(
            f'SSIM needs frames of at least {size}x{size} pixels, its window, got {height}x{width}'
        )


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float('nan')
