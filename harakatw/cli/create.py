"""
C{haraka -i}: make an instance directory.

@see: Haraka row CI05
"""

import os
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from harakatw.address_grammar import GrammarError, canonical_host
from harakatw.cli.failure import CommandError
from harakatw.cli.list_plugins import plain
from harakatw.cli.plugin_files import PluginFile, list_plugins, options_of
from harakatw.config.samples import render_samples
from harakatw.config.schema import OptionClass
from harakatw.process.plugin_host import plugin_search
from harakatw.process.settings import CORE

PLUGINS: Final = ("rcpt_to.in_host_list", "queue/maildir")
"""What a new instance runs: enough to take mail, and to lose none of it."""

_FOLDERS: Final = ("docs/plugins", "plugins")

_README: Final = """\
An instance of Haraka, the SMTP server made of plugins.

config/    what it does: a file for each topic, see config/smtp.ini,
           config/plugins and config/host_list first
plugins/   plugins of this instance alone; `haraka -p NAME -c DIR` makes one
docs/      pages about these, which `haraka -h NAME -c DIR` shows
queue/     mail that waits to be sent; made when it is needed

DIR is this directory:

haraka check -c DIR   finds mistakes in the configuration
haraka -l             lists the plugins that there are
haraka -h NAME        shows the page of one
haraka -c DIR         runs the server
"""


def own_host() -> str:
    """This machine's name, if it can stand in an address; else C{localhost}."""
    try:
        return canonical_host(socket.gethostname())
    except GrammarError:
        return "localhost"


def instance_files(host: str, domains: Iterable[str]) -> dict[str, str]:
    """
    What a new instance consists of.

    Ini files are samples, in which everything is commented out: as they are they change
    nothing.

    @param host: the server's name.
    @param domains: that it takes mail for.
    @return: text by the file's path.
    """
    samples = _samples()
    texts = {name: text for name, text in samples.items() if name.endswith(".ini")}
    texts["me"] = _with(samples["me"], [host])
    texts["host_list"] = _with(samples["host_list"], domains)
    texts["plugins"] = _with(samples["plugins"], _plugin_lines())
    files = {f"config/{name}": text for name, text in texts.items()}
    return {**files, "README": _README}


def _samples() -> Mapping[str, str]:
    """The samples of the core, and of what a new instance runs."""
    search = plugin_search()
    owners: list[tuple[str, OptionClass]] = list(CORE)
    for name in PLUGINS:
        cls = options_of(search, name)
        if cls is not None:
            owners.append((name, cls))
    parts: dict[str, list[str]] = {}
    for name, cls in owners:
        for file, text in render_samples(cls, name).items():
            parts.setdefault(file, []).append(text)
    return {file: "\n".join(texts) for file, texts in parts.items()}


def _with(sample: str, lines: Iterable[str]) -> str:
    return sample + "".join(f"{line}\n" for line in lines)


def _plugin_lines() -> list[str]:
    """C{config/plugins}: all bundled ones, commented out but for L{PLUGINS}."""
    known = {plugin.name: plugin for plugin in list_plugins(plugin_search())}
    idle = [plugin for name, plugin in known.items() if name not in PLUGINS]
    queues = [plugin for plugin in idle if plugin.name.startswith("queue/")]
    others = [plugin for plugin in idle if plugin not in queues]
    lines = [*_entries(others, "#"), *_entries([known[PLUGINS[0]]], "")]
    return [*lines, *_entries([*queues], "#"), *_entries([known[PLUGINS[1]]], "")]


def _entries(plugins: Iterable[PluginFile], mark: str) -> list[str]:
    return [
        line
        for plugin in plugins
        for line in ("", f"# {plain(plugin.summary)}", f"{mark}{plugin.name}")
    ]


def with_plugin(plugins: str, name: str) -> str:
    """C{config/plugins} of a new instance with one more that is not commented out."""
    return plugins.replace(f"\n#{name}\n", f"\n{name}\n")


def write_key(path: Path, octets: bytes) -> None:
    """
    Write what nobody but the server may read.

    @raise CommandError: if it cannot be written.
    """
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(octets)
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from error


def create(directory: Path, files: Mapping[str, str], *, force: bool) -> None:
    """
    Make an instance.

    @param files: from L{instance_files}.
    @param force: go on although there is something, and overwrite files of these names;
        other files stay.
    @raise CommandError: if there is something already, or it cannot be written.
    """
    if not force and _is_taken(directory):
        raise CommandError(
            f"{directory} exists already; -f overwrites what is in the way"
        )
    write_files(directory, files, _FOLDERS)


def _is_taken(directory: Path) -> bool:
    try:
        return any(directory.iterdir())
    except FileNotFoundError:
        return False
    except OSError:
        return True


def write_files(
    directory: Path, files: Mapping[str, str], folders: Iterable[str] = ()
) -> None:
    """
    Write files, and make the folders that they are in.

    @param files: text by path within C{directory}.
    @param folders: more of them, which may stay empty.
    @raise CommandError: if one cannot be written; those before it are.
    """
    try:
        for folder in folders:
            (directory / folder).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from error
