"""A configuration directory for a test."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.files import ConfigFiles


class ConfigTestCase(SynchronousTestCase):
    """
    A test with an empty C{config/} of its own.

    @ivar directory: that folder.
    """

    directory: Path

    def setUp(self) -> None:
        """Make the folder."""
        self.directory = Path(self.mktemp(), "config")
        self.directory.mkdir(parents=True)

    def write(
        self, name: str, content: str | bytes, folder: Path | None = None
    ) -> None:
        """Put a file into the folder, or into another."""
        path = (folder or self.directory) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        octets = content.encode() if isinstance(content, str) else content
        path.write_bytes(octets)

    def files(self) -> ConfigFiles:
        """The folder as it is now."""
        return ConfigFiles(self.directory)
