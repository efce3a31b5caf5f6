"""An instance as the command sees it: its files and its plugins, and no server."""

from pathlib import Path
from typing import Final

import attrs

from harakatw import plugins
from harakatw.cli.failure import CommandError
from harakatw.config.connection import ConnectionOptions
from harakatw.config.core import LogOptions, ServerOptions
from harakatw.config.files import ConfigFiles
from harakatw.config.options import load_options
from harakatw.config.results import ResultsOptions
from harakatw.config.schema import OptionClass
from harakatw.dns.options import DNSOptions
from harakatw.hooks.search import PluginSearch, successor

BUNDLED: Final = "harakatw.plugins"
"""The package of the bundled plugins."""

CORE: Final[tuple[tuple[str, OptionClass], ...]] = (
    ("smtp", ServerOptions),
    ("connection", ConnectionOptions),
    ("log", LogOptions),
    ("net-utils", DNSOptions),
    ("results", ResultsOptions),
)
"""What the server itself reads, each with its owner's name."""


def search_plugins(local: Path | None = None) -> PluginSearch:
    """
    Where plugins are looked for.

    @param local: an instance's C{plugins/}, which need not exist; L{None} for the
        bundled and the installed plugins alone.
    """
    folder = bundled_folder()
    return PluginSearch(local or folder / "none of an instance", BUNDLED, folder)


def bundled_folder() -> Path:
    """Where the bundled plugins are."""
    return Path(next(iter(plugins.__path__)))


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
    def server(self) -> ServerOptions:
        """C{smtp.ini} and the files beside it; defaults stand for what is wrong."""
        return load_options(ServerOptions, self.files, "smtp").options

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
    return OpenInstance(directory, files, search_plugins(directory / "plugins"))
