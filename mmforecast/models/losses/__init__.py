from .gd_loss import GDLoss, gradient_difference_loss
from .score_cross_entropy import ScoreCrossEntropyLoss, score_cross_entropy

__all__ = ['GDLoss', 'ScoreCrossEntropyLoss', 'gradient_difference_loss', 'score_cross_entropy']
