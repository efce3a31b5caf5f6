"""
Which log levels are on: Haraka's ten, as switches that a hot path can look at.

@see: Haraka rows CF43 and CF46
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs
from twisted.logger import LogLevel

LEVELS: Final = (
    "emerg",
    "alert",
    "crit",
    "error",
    "warn",
    "notice",
    "info",
    "debug",
    "protocol",
    "data",
)
"""Haraka's log levels, the gravest first."""

TWISTED_LEVELS: Final[Mapping[str, LogLevel]] = MappingProxyType(
    {
        "emerg": LogLevel.critical,
        "alert": LogLevel.critical,
        "crit": LogLevel.critical,
        "error": LogLevel.error,
        "warn": LogLevel.warn,
        "notice": LogLevel.info,
        "info": LogLevel.info,
        "debug": LogLevel.debug,
        "protocol": LogLevel.debug,
        "data": LogLevel.debug,
    }
)
"""The Twisted level that lets a Haraka level's records through."""


def level_number(name: str) -> int:
    """
    The place of a level in L{LEVELS}.

    @param name: as in C{log.ini} or C{loglevel}: any case, with or without C{LOG}
        before it.
    @raise ValueError: if there is no such level.
    """
    plain = name.strip().lower().removeprefix("log")
    plain = {"warning": "warn", "critical": "crit"}.get(plain, plain)
    return LEVELS.index(plain)


@attrs.define
class LogSwitch:
    """
    Looked at before a record is made, since making one costs more than most commands.

    @ivar info: are records of a connection's and message's life wanted?
    @ivar protocol: is every line of every session wanted?
    """

    info: bool = True
    protocol: bool = False

    def set_level(self, name: str) -> None:
        """
        Turn on what a level asks for.

        @raise ValueError: if there is no such level.
        """
        number = level_number(name)
        self.info = number >= LEVELS.index("info")
        self.protocol = number >= LEVELS.index("protocol")
