"""Checks of arguments."""


def check_positive(owner: str, **arguments: int) -> None:
    """Refuse what isn't an integer of at least 1."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f'{owner}: {name} must be an integer >= 1, got {value!r}')
