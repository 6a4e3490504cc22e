"""Questions that participants answer about each image.

The six questions are those of DeSIGN's study (arXiv 1804.00921) as we remember them; their wording isn't
verified.
"""

from dataclasses import dataclass

__all__ = ['QUESTIONS', 'Question']


@dataclass(frozen=True)
class Question:
    """One column of a rater's form.

    Attributes:
        name: Of the column.
        text: What the rater reads.
        options: The answers allowed, and the number that each counts as.
        shown: How a table calls the mean.
    """

    name: str
    text: str
    options: dict[str, float]
    shown: str

    def value(self, answer: str) -> float | None:
        """The number of an answer; None where it is none of the options. Case doesn't matter."""
        return self.options.get(answer.strip().lower())


_SCALE = {str(number): float(number) for number in range(1, 6)}

QUESTIONS = (
    Question('liking', 'How much do you like it overall? 1 (not at all) to 5', _SCALE, 'liking'),
    Question('shape_novelty', 'How novel is its shape? 1 (not at all) to 5', _SCALE, 'shape novelty'),
    Question(
        'texture_novelty',
        'How novel is its texture? 1 (not at all) to 5',
        _SCALE,
        'texture novelty',
    ),
    Question(
        'shape_complexity',
        'How complex is its shape? 1 (not at all) to 5',
        _SCALE,
        'shape complexity',
    ),
    Question(
        'texture_complexity',
        'How complex is its texture? 1 (not at all) to 5',
        _SCALE,
        'texture complexity',
    ),
    Question(
        'made_by',
        'Was it made by a designer or by a computer? designer or computer',
        dict(designer=100.0, computer=0.0),
        'taken for human-made %',
    ),
)
