"""Where the control socket is, also where its path is too long for a socket."""

import os
from pathlib import Path
from typing import Final

import attrs

from harakatw.errors import ConfigError

SOCKET: Final = "control.sock"
"""The name of the socket, in the directory of the queue."""

MAX_PATH: Final = 107
"""Octets that the address of a socket may have: C{sun_path} but for its NUL."""

_DESCRIPTORS: Final = "/proc/self/fd"


@attrs.define(eq=False)
class Place:
    """
    The socket of a queue.

    @ivar path: where everybody sees it.
    @ivar address: what to give to C{bind} and C{connect}, until L{close} is called.
    """

    path: Path
    address: str
    _descriptor: int | None = None

    def close(self) -> None:
        """The address is of no use any more."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def find_place(directory: Path) -> Place:
    """
    Say where the socket of a queue is. A directory whose path is too long is opened,
    and has a short path then, on Linux.

    @param directory: of the queue.
    @raise ConfigError: the path is too long, and nothing can be done about it.
    """
    path = directory / SOCKET
    if len(os.fsencode(path)) <= MAX_PATH:
        return Place(path, str(path))
    try:
        if os.path.isdir(_DESCRIPTORS):
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
            descriptor = os.open(directory, flags)
            address = f"{_DESCRIPTORS}/{descriptor}/{SOCKET}"
            return Place(path, address, descriptor)
        why = f"its path has more than {MAX_PATH} octets"
    except OSError as error:
        why = error.strerror or str(error)
    raise ConfigError((f"no control socket: {path}: {why}",))
