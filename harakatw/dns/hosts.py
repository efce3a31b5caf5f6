"""
Names that this machine knows without the DNS: its hosts file, and C{localhost}.

@see: RFC 952 (names), RFC 6761 section 6.3 (C{localhost})
"""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from twisted.internet.interfaces import IReactorTime

HOSTS_FILE: Final = Path("/etc/hosts")

_LOOK_AGAIN_SECONDS: Final = 30.0
_MAX_OCTETS: Final = 16 * 1024 * 1024
_LOOPBACK: Final = ("::1", "127.0.0.1")

Known = Mapping[str, tuple[str, ...]]


def parse_hosts_file(text: str) -> Known:
    """
    Read a hosts file.

    @return: addresses by name in lower case; a line that holds no IP address is left
        out, as everybody does.
    """
    known: dict[str, list[str]] = {}
    for line in text.split("\n"):
        words = line.partition("#")[0].split()
        if len(words) < 2 or not _is_address(words[0]):
            continue
        for name in words[1:]:
            addresses = known.setdefault(name.lower().removesuffix("."), [])
            if words[0] not in addresses:
                addresses.append(words[0])
    return MappingProxyType({name: tuple(ips) for name, ips in known.items()})


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


class HostsFile:
    """A hosts file, looked at twice a minute at most, and read when it has changed."""

    def __init__(self, path: Path, clock: IReactorTime) -> None:
        """
        @param path: such as L{HOSTS_FILE}; need not exist.
        """
        self._path = path
        self._clock = clock
        self._known: Known = MappingProxyType({})
        self._stamp: tuple[int, int] | None = None
        self._look_at: float | None = None

    def addresses(self, name: str) -> tuple[str, ...]:
        """
        The addresses of a name, in the file's order; empty if it is not there.

        @param name: in lower case, without the last dot.
        """
        now = self._clock.seconds()
        if self._look_at is None or now >= self._look_at:
            self._look_at = now + _LOOK_AGAIN_SECONDS
            self._look()
        found = self._known.get(name)
        if found is None and is_localhost(name):
            return _LOOPBACK
        return found or ()

    def _look(self) -> None:
        """Read the file if it is another than the last time."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp == self._stamp:
                return
            with self._path.open("rb") as file:
                text = file.read(_MAX_OCTETS).decode("utf-8", "replace")
        except OSError:
            self._stamp, self._known = None, MappingProxyType({})
            return
        self._stamp, self._known = stamp, parse_hosts_file(text)


def is_localhost(name: str) -> bool:
    """Is this a name that must not be looked for in the DNS?"""
    return name == "localhost" or name.endswith(".localhost")
