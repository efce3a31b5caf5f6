"""
Find a plugin's file by its name in C{config/plugins}.

The instance's own C{plugins/} comes first, then installed packages (the entry-point
group C{harakatw.plugins}), then the bundled ones (DESIGN: Layers; Haraka row RG14).
"""

import difflib
import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from traceback import extract_tb, format_exception_only
from types import MappingProxyType, ModuleType
from typing import Final

import attrs

from harakatw.errors import PluginError

ENTRY_POINT_GROUP: Final = "harakatw.plugins"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")

RETIRED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "auth/auth_ldap": "auth-ldap",
        "backscatterer": "dns-list",
        "connect.asn": "asn",
        "connect.fcrdns": "fcrdns",
        "connect.geoip": "geoip",
        "connect.p0f": "p0f",
        "connect.rdns_access": "access",
        "data.headers": "headers",
        "data.nomsgid": "headers",
        "data.noreceived": "headers",
        "data.rfc5322_header_checks": "headers",
        "data.uribl": "uribl",
        "dkim_sign": "dkim",
        "dkim_verify": "dkim",
        "dnsbl": "dns-list",
        "dnswl": "dns-list",
        "log.syslog": "syslog",
        "mail_from.access": "access",
        "mail_from.blocklist": "access",
        "mail_from.nobounces": "bounce",
        "rate_limit": "limit",
        "rcpt_to.access": "access",
        "rcpt_to.blocklist": "access",
        "rcpt_to.ldap": "rcpt-ldap",
        "rcpt_to.max_count": "limit",
        "rcpt_to.qmail_deliverable": "qmail-deliverable",
        "rdns.regexp": "access",
        "relay_acl": "relay",
        "relay_all": "relay",
        "relay_force_routing": "relay",
    }
)
"""Haraka's retired names and what took their place (section 8.4 of the inventory)."""


def successor(name: str) -> str:
    """
    The name under which a plugin is known today; without the C{haraka-plugin-} prefix.
    """
    name = name.removeprefix("haraka-plugin-")
    return RETIRED.get(name, name)


def relative_paths(name: str) -> tuple[str, ...]:
    """
    Where a plugin of this name may stand below a folder of plugins, best first.

    Dots part folders, as in C{rcpt_to.in_host_list}, and a hyphen, which no Python
    module can bear, is an underscore: C{dns-list} is C{dns_list.py}.
    """
    module = name.replace("-", "_")
    forms = (name, module, module.replace(".", "/"))
    return tuple(dict.fromkeys(f"{form}.py" for form in forms))


@attrs.frozen
class PluginSearch:
    """
    Where plugins are looked for.

    @ivar local: the instance's C{plugins/} folder.
    @ivar bundled: the package of the bundled plugins.
    @ivar bundled_path: its folder.
    """

    local: Path
    bundled: str
    bundled_path: Path

    def load(self, name: str) -> ModuleType:
        """
        Import a plugin's module; an instance's own file is read afresh each time.

        @raise PluginError: if there is none, or its code cannot be imported.
        """
        private = any(part.startswith("_") for part in re.split("[./]", name))
        if not _NAME.fullmatch(name) or ".." in name or private:
            raise PluginError(
                name,
                "not a plugin's name: letters, digits and . - / _ but not in front",
            )
        for folder in (self.local,):
            for relative in relative_paths(name):
                if (folder / relative).is_file():
                    return _import_file(name, folder / relative)
        found = _entry_point(name)
        try:
            if found is not None:
                loaded = found.load()
                return (
                    loaded
                    if isinstance(loaded, ModuleType)
                    else sys.modules[loaded.__module__]
                )
            for relative in relative_paths(name):
                if (self.bundled_path / relative).is_file():
                    module = relative.removesuffix(".py").replace("/", ".")
                    return importlib.import_module(f"{self.bundled}.{module}")
        except Exception as error:
            raise PluginError(name, f"cannot be imported: {error!r}") from error
        raise PluginError(name, self._missing(name))

    def names(self) -> tuple[str, ...]:
        """Every plugin that can be named, bundled, installed and the instance's own."""
        found = {point.name for point in entry_points(group=ENTRY_POINT_GROUP)}
        for folder in (self.bundled_path, self.local):
            found.update(_names_below(folder))
        return tuple(sorted(found))

    def _missing(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.names(), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        places = f"{self.local}, installed packages, or the bundled plugins"
        return f"not found in {places}{hint}"


def _names_below(folder: Path) -> Iterable[str]:
    """
    Names of the plugin files below a folder; C{rcpt_to/} and the like are written with
    dots.
    """
    for path in sorted(folder.rglob("*.py")):
        if not path.name.startswith("_") and "__pycache__" not in path.parts:
            relative = path.relative_to(folder).with_suffix("").as_posix()
            first, _, rest = relative.partition("/")
            dotted = rest and first in ("rcpt_to", "mail_from", "data")
            yield f"{first}.{rest}" if dotted else relative


def _entry_point(name: str) -> EntryPoint | None:
    return next(iter(entry_points(group=ENTRY_POINT_GROUP, name=name)), None)


def _import_file(name: str, path: Path) -> ModuleType:
    """Run a file as a module of its own, which no other instance shares."""
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    unique = f"harakatw_instance_{digest}_{re.sub(r'[^A-Za-z0-9]', '_', name)}"
    spec = importlib.util.spec_from_file_location(unique, path)
    if spec is None or spec.loader is None:
        raise PluginError(name, f"{path} is not Python")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(unique)
    sys.modules[unique] = module  # attrs and typing look a class's module up by name
    try:
        code = compile(path.read_bytes(), str(path), "exec")  # never a stale .pyc
        exec(code, module.__dict__)  # the postmaster's own plugin
    except Exception as error:
        del sys.modules[unique]
        if before is not None:  # sessions may still be asking the version before
            sys.modules[unique] = before
        place, what = _place(path, error), format_exception_only(error)[-1].strip()
        raise PluginError(name, f"{place} cannot be imported: {what}") from error
    return module


def _place(path: Path, error: Exception) -> str:
    """The line of a file that is to blame, C{path:line:}, or the path if none is."""
    line = None
    for frame in extract_tb(error.__traceback__):
        if frame.filename == str(path):
            line = frame.lineno
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line = error.lineno
    return str(path) if line is None else f"{path}:{line}:"
