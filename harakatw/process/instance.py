"""Where the parts of an instance directory are."""

from pathlib import Path

import attrs


def _absolute(path: str | Path) -> Path:
    return Path(path).absolute()


@attrs.frozen
class Instance:
    """
    An instance directory.

    @ivar directory: absolute.
    """

    directory: Path = attrs.field(converter=_absolute)

    @property
    def config(self) -> Path:
        """The postmaster's files."""
        return self.directory / "config"

    @property
    def plugins(self) -> Path:
        """Plugins of this instance alone."""
        return self.directory / "plugins"

    def queue(self, configured: str) -> Path:
        """
        Where the queue is kept.

        @param configured: C{config/queue_dir}; relative to the instance, C{""} for
            C{queue}.
        """
        return self.directory / (configured or "queue")
