"""The part of setuptools' former ``pkg_resources`` that mmengine 0.10 uses, see :mod:`.missing_names`."""

from importlib import metadata

DistributionNotFound = metadata.PackageNotFoundError


class Distribution:
    """An installed distribution.

    Args:
        name: Its name for pip.

    Raises:
        DistributionNotFound: None of this name is installed.
    """

    def __init__(self, name: str):
        self._distribution = metadata.distribution(name)
        self.version = self._distribution.version

    @property
    def location(self) -> str:
        """The folder on ``sys.path`` that the distribution was installed into."""
        return str(self._distribution.locate_file(''))

    def has_metadata(self, name: str) -> bool:
        """Whether there is a file of this name beside the distribution's metadata."""
        return self._distribution.read_text(name) is not None

    def get_metadata(self, name: str) -> str:
        """The text of a file beside the distribution's metadata."""
        return self._distribution.read_text(name)


def get_distribution(name: str) -> Distribution:
    """The installed distribution of a name, see :class:`Distribution`."""
    return Distribution(name)
