"""What looking into the archives of a message may cost."""

import enum
import time
from collections.abc import Callable

import attrs


class Trouble(enum.Enum):
    """Why an archive was not looked at as a whole."""

    DEPTH = "nested too deep"
    ENCRYPTED = "encrypted"
    TOO_BIG = "too big"
    TOO_SLOW = "takes too long"
    UNREADABLE = "unreadable"


class ArchiveError(Exception):
    """
    An archive cannot be looked at any further.

    @ivar trouble: why.
    """

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


@attrs.define(eq=False)
class Budget:
    """
    What is left for one message.

    @ivar entries_left: files that may still be found.
    @ivar octets_left: that may still be unpacked.
    @ivar deadline: when it must be over, in seconds of C{clock}.
    @ivar tool: the path of C{bsdtar}; C{""} if there is none.
    """

    entries_left: int
    octets_left: int
    deadline: float
    tool: str
    clock: Callable[[], float] = time.monotonic

    @property
    def seconds_left(self) -> float:
        """Not less than 0."""
        return max(0.0, self.deadline - self.clock())

    def check_time(self) -> None:
        """
        See that there is time left.

        @raise ArchiveError: there is none.
        """
        if self.clock() >= self.deadline:
            raise ArchiveError(Trouble.TOO_SLOW)

    def spend(self, octets: int) -> None:
        """
        Note that so much was unpacked.

        @raise ArchiveError: it was too much, or took too long.
        """
        self.octets_left -= octets
        if self.octets_left < 0:
            raise ArchiveError(Trouble.TOO_BIG)
        self.check_time()

    def count_entry(self) -> None:
        """
        Note that a file was found.

        @raise ArchiveError: as L{spend}.
        """
        self.entries_left -= 1
        if self.entries_left < 0:
            raise ArchiveError(Trouble.TOO_BIG)
        self.check_time()
