"""An instance as the command sees it: its files and its plugins, and no server."""

from pathlib import Path

import attrs

from harakatw.cli.failure import CommandError
from harakatw.config.core import ServerOptions
from harakatw.config.files import ConfigFiles
from harakatw.hooks.search import PluginSearch, successor
from harakatw.process.plugin_host import plugin_search
from harakatw.process.settings import Settings, read_settings


@attrs.frozen
class OpenInstance:
    """
    An instance directory.

    @ivar directory: absolute.
    @ivar files: its C{config/}.
    @ivar search: finds its plugins.
    """

    directory: Path
    files: ConfigFiles
    search: PluginSearch

    @property
    def settings(self) -> Settings:
        """What the server would read; defaults stand for what is wrong."""
        return read_settings(self.files.directory)

    @property
    def server(self) -> ServerOptions:
        """C{smtp.ini} and the files beside it."""
        return self.settings.server

    @property
    def plugin_names(self) -> tuple[str, ...]:
        """C{config/plugins} under today's names, each once (row RG13)."""
        return tuple(dict.fromkeys(map(successor, self.server.plugins)))


def open_instance(directory: Path) -> OpenInstance:
    """
    Look at an instance.

    @raise CommandError: if there is none.
    """
    directory = directory.absolute()
    config = directory / "config"
    if not config.is_dir():
        raise CommandError(
            f"{directory} is no instance: it has no folder config; make one with: "
            f"haraka -i {directory}"
        )
    files = ConfigFiles(config)
    return OpenInstance(directory, files, plugin_search(directory / "plugins"))
