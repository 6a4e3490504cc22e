"""Files that can't be used: what stops, and what is replaced by another item of the dataset."""

import logging

from mmengine.logging import print_log

from mmforecast.utils.checks import check_choice

__all__ = ['CorruptFileError', 'CorruptFilePolicy']


class CorruptFileError(ValueError):
    """A file can't be used.

    Args:
        message: The sentence shown to the user; names the file.
        path: The file.
    """

    def __init__(self, message: str, path: str = ''):
        super().__init__(message)
        self.path = path


class CorruptFilePolicy:
    """Mixin of datasets that take another item in the place of one whose file is corrupt.

    Attributes:
        item_name: What messages call an item.
        on_corrupt: 'raise' or 'skip'.
        corrupt_files: Those skipped so far in this process.

    The training loops of :mod:`mmforecast.engine` gather the faults of all processes, see
    :class:`~mmforecast.engine.DataFaultHook`.
    """

    item_name: str
    on_corrupt: str
    corrupt_files: set[str]
    _faults: dict[str, tuple[int, str]]

    def set_on_corrupt(self, on_corrupt: str | None, test_mode: bool) -> None:
        """Settle the policy: by default 'raise' in ``test_mode``, where nothing else is possible, else 'skip'.

        Raises:
            ValueError: It is another word, or 'skip' in ``test_mode``.
        """
        check_choice(type(self).__name__, ('raise', 'skip', None), on_corrupt=on_corrupt)
        if test_mode and on_corrupt == 'skip':
            raise ValueError(
                f"on_corrupt='skip' would score another {self.item_name} twice: test_mode needs 'raise'"
            )
        self.on_corrupt = on_corrupt or ('raise' if test_mode else 'skip')
        self.corrupt_files = set()
        self._faults = {}

    def skips(self, error: CorruptFileError) -> bool:
        """Whether another item is to be taken instead; the file is then logged, once."""
        if self.on_corrupt == 'raise':
            return False
        times = self._faults.get(error.path, (0, ''))[0]
        self._faults[error.path] = (times + 1, str(error))
        if error.path not in self.corrupt_files:
            self.corrupt_files.add(error.path)
            print_log(
                f'{error} Another {self.item_name} takes its place ({len(self.corrupt_files)} such '
                'files so far).',
                logger='current',
                level=logging.WARNING,
            )
        return True

    def take_faults(self) -> dict[str, tuple[int, str]]:
        """Since the last call in this process: by path, how often an item was replaced, and the reason."""
        faults, self._faults = self._faults, {}
        return faults
