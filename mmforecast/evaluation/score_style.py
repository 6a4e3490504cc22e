"""Presentation of scores: unit, digits, direction and meaning."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ScoreStyle:
    """The presentation of a score.

    Attributes:
        unit: '' for a number without one.
        decimals: Digits after the point that a table shows.
        best: 'max', 'min', or 'one' for scores that are best at 1.
        meaning: One line of plain words; '' where nothing is known of the score.
    """

    unit: str = '%'
    decimals: int = 1
    best: str = 'max'
    meaning: str = ''

    def label(self, name: str) -> str:
        """The score's name with its unit."""
        return f'{name} ({self.unit})' if self.unit else name


def _percent(meaning: str) -> ScoreStyle:
    return ScoreStyle(meaning=meaning)


_STYLES = {
    'KID x1000': ScoreStyle(
        '',
        1,
        'min',
        'distance between the distributions of generated and real images, in features',
    ),
    'mIoU': _percent(
        'overlap of forecast and true label maps: intersection over union, mean over all classes'
    ),
    'IoU-MO': _percent(
        'intersection over union, mean over the classes that move: people, riders and vehicles'
    ),
    'aAcc': _percent('share of the pixels whose class is right'),
    'mAcc': _percent('share of the pixels whose class is right, mean over classes'),
    'IoU': _percent('overlap of forecast and true pixels of the class: intersection over union'),
    'Acc': _percent('share of the pixels of the class that are found'),
    'AP': _percent(
        "average precision of the instances by Cityscapes' rules, mean over mask overlaps from 0.5 to 0.95"
    ),
    'AP50': _percent(
        "average precision of the instances by Cityscapes' rules; one is found where masks overlap by half"
    ),
    'NO-AP': _percent('AP of masks that do not overlap: each pixel goes to the highest score'),
    'NO-AP50': _percent('AP50 of masks that do not overlap: each pixel goes to the highest score'),
    'NO-AP-const': _percent('NO-AP with one score for all instances, so that none ranks higher'),
    'NO-AP50-const': _percent('NO-AP50 with one score for all instances, so that none ranks higher'),
    'mask-AP': _percent(
        "average precision of the masks by COCO's protocol, mean over mask overlaps from 0.5 to 0.95"
    ),
    'mask-AP50': _percent(
        "average precision of the masks by COCO's protocol; one is found where masks overlap by half"
    ),
    'PQ': _percent(
        'panoptic quality: overlap of the matched segments, less by those that are missed or false, mean over '
        'classes'
    ),
    'SQ': _percent('segmentation quality: overlap of the segments that are matched, mean over classes'),
    'RQ': _percent('recognition quality: F1 score of the segments, mean over classes'),
    'IDF1': _percent('share of the objects that are found under one identity throughout'),
    'IDP': _percent('share of the forecast objects whose identity is right'),
    'IDR': _percent('share of the true objects that are forecast under their identity'),
    'MOTA': _percent(
        'tracking accuracy: 100 less misses, false alarms and changes of identity; may be negative'
    ),
    'IDSW': ScoreStyle('', 0, 'min', 'how often a tracked object changes its identity'),
    'accuracy': _percent('share of the images whose class is right'),
    'PSNR': ScoreStyle('dB', 2, 'max', 'closeness of the pixels: peak signal to noise ratio'),
    'SSIM': ScoreStyle('', 3, 'max', 'closeness of local structure; 1 for the same picture'),
    'sharpness': ScoreStyle('dB', 2, 'max', 'closeness of the edges: a blurred forecast has a low value'),
    'energy': ScoreStyle(
        '', 3, 'one', 'mean gradient over that of the truth: below 1 for a blur, above 1 for noise'
    ),
    'LPIPS': ScoreStyle('', 3, 'min', "distance of a network's features: less is more alike"),
    'FID': ScoreStyle('', 1, 'min', 'distance of the distributions of images: less is more alike'),
    'KID': ScoreStyle('', 3, 'min', 'distance of the distributions of images: less is more alike'),
}
# Of scores whose name says something else against a reference (DetectionAgreementMetric).
_REFERENCE_MEANINGS = {
    'AP': "average precision of the boxes by COCO's protocol, mean over overlaps from 0.5 to 0.95",
    'AP50': "average precision of the boxes by COCO's protocol; one is found where boxes overlap by half",
}
# Upper and lower case are the same, as to mmengine.
_NAMES = {name.lower(): name for name in _STYLES}

# Meanings of the endings and beginnings of names: where, or against what, is scored. The longest match counts.
_ENDINGS = {
    '-MO': 'where pixels move, by optical flow',
    '-MO-given': 'where pixels move, by the masks of the data',
    '-things': 'of the classes with instances',
    '-stuff': 'of the classes without instances',
    '-iclr16': 'by the protocol of Mathieu et al. (ICLR 2016), with their masks of motion',
    '-iclr16-flow': 'by the protocol of Mathieu et al. (ICLR 2016), with masks by our optical flow',
}
_AGAINST = {
    'SEG': "against the segmentor's own output on the true frame",
    'REF': "against the detector's own output on the true frame",
}


def known_style(name: str) -> ScoreStyle | None:
    """The style of a metric's key; None for scores that aren't this library's.

    What stands before and after the metric in a key is passed over: 'SEG/t+2/mIoU', 'AP/person', 'SSIM-MO',
    'texture_accuracy', 'FID (64)'.
    """
    found = _metric_of(name)
    return None if found is None else _STYLES[found[0]]


def score_style(name: str) -> ScoreStyle:
    """The style of a metric's key, see :func:`known_style`. Percents, more of which is better, by default."""
    return known_style(name) or ScoreStyle()


def explain_score(name: str) -> str:
    """One line of plain words on a metric's key, such as 'SSIM-MO' or 'SEG/mIoU'; '' for unknown ones."""
    found = _metric_of(name)
    if found is None:
        return ''
    metric, rest = found
    parts = name.split('/')
    against = [text for part, text in _AGAINST.items() if part in parts]
    if 'REF' in parts and metric in ('PQ', 'SQ', 'RQ'):
        against = ["against the networks' own output on the true frame"]
    meaning = _STYLES[metric].meaning
    if 'REF' in parts:
        meaning = _REFERENCE_MEANINGS.get(metric, meaning)
    return ', '.join([meaning, *filter(None, [_ENDINGS.get(rest)]), *against])


def _metric_of(name: str) -> tuple[str, str] | None:
    """The metric in a key, and what follows it within its part."""
    for part in reversed(name.split('/')):
        if part.startswith('loss'):  # 'loss_iou' is no IoU
            continue
        part = part.split(' ')[0].rpartition('_')[2]
        metric = part
        while metric and metric.lower() not in _NAMES:
            metric = metric.rpartition('-')[0]
        if metric:
            return _NAMES[metric.lower()], part[len(metric) :]
    return None
