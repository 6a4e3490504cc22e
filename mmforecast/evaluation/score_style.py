"""How the scores of this library are read: unit, digits, and which way is better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ScoreStyle:
    """Of a score.

    Attributes:
        unit: '' for a number without one.
        decimals: Digits after the point that a table shows.
        best: 'max' or 'min'.
    """

    unit: str = '%'
    decimals: int = 1
    best: str = 'max'

    def label(self, name: str) -> str:
        """The score's name with its unit."""
        return f'{name} ({self.unit})' if self.unit else name


_STYLES = {
    'PSNR': ScoreStyle('dB', 2),
    'SSIM': ScoreStyle('', 3),
    'sharpness': ScoreStyle('dB', 2),
    'LPIPS': ScoreStyle('', 3, 'min'),
}


def score_style(name: str) -> ScoreStyle:
    """The style of a metric's key: 'SSIM-MO' and 't+2/SSIM' are read as 'SSIM'. Percents by default."""
    return _STYLES.get(name.rpartition('/')[2].partition('-')[0], ScoreStyle())
