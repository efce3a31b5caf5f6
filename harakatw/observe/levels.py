"""
Which log levels are on: Haraka's ten, as switches that a hot path can look at.

@see: Haraka rows CF43 and CF46
"""

import attrs

from harakatw.config.core import LEVELS


def level_number(name: str) -> int:
    """The place of a level in C{LEVELS}, the gravest being 0."""
    return LEVELS.index(name)


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

        @param name: one of C{LEVELS}.
        """
        number = level_number(name)
        self.info = number >= LEVELS.index("info")
        self.protocol = number >= LEVELS.index("protocol")
