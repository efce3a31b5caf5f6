"""How much memory this process has."""

import resource
from collections.abc import Iterator
from pathlib import Path

import attrs

_STATM = Path("/proc/self/statm")

NO_MEASURE = "" if _STATM.exists() else "this system does not tell a process's memory"
"""Why memory cannot be measured here, or C{""}."""


def resident_octets() -> int:
    """What of this process is in memory."""
    return int(_STATM.read_bytes().split()[1]) * resource.getpagesize()


@attrs.define
class Growth:
    """
    Watches the process grow.

    @ivar most: by how many octets it had grown at the worst moment.
    """

    most: int = 0
    _before: int = attrs.field(factory=resident_octets)

    def look(self) -> None:
        """Measure now."""
        self.most = max(self.most, resident_octets() - self._before)

    def pieces(self, piece: bytes, count: int) -> Iterator[bytes]:
        """The same piece again and again, measuring before each."""
        for _ in range(count):
            self.look()
            yield piece
