"""
How old the queue is, by domain: what shows at a glance whether one destination or all
are in trouble.

@see: survey section 4 row 4
"""

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from harakatw.interfaces.queue import QueueItem

AGE_MINUTES: Final = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
"""Where one column ends; the last one has what is older than all of these."""

MAX_DOMAINS: Final = 100_000
"""Domains that are told apart, whatever the queue holds."""

TOTAL: Final = "TOTAL"
OTHERS: Final = "(others)"


@attrs.frozen
class ShapeRow:
    """
    One line of the table.

    @ivar domain: or L{TOTAL}, or L{OTHERS}.
    @ivar ages: items by age, one more number than L{AGE_MINUTES}.
    """

    domain: str
    ages: tuple[int, ...]

    @property
    def items(self) -> int:
        """All of the domain's."""
        return sum(self.ages)


@attrs.define(eq=False)
class Shape:
    """
    A histogram of ages by domain.

    @ivar now: in seconds since 1970.
    """

    now: float
    _domains: dict[str, list[int]] = attrs.field(factory=dict)

    def add(self, item: QueueItem) -> None:
        """Count an item."""
        name = item.domain
        if name not in self._domains and len(self._domains) >= MAX_DOMAINS:
            name = OTHERS
        counts = self._domains.setdefault(name, [0] * (len(AGE_MINUTES) + 1))
        minutes = (self.now - item.message.queued_at) / 60
        counts[sum(minutes >= edge for edge in AGE_MINUTES)] += 1

    def rows(self, limit: int) -> Iterator[ShapeRow]:
        """
        The total, then the domains with most items.

        @param limit: of domains; the others are in one row.
        """
        yield ShapeRow(TOTAL, _sum(self._domains.values()))
        named = [name for name in self._domains if name != OTHERS]
        named.sort(key=lambda name: (-sum(self._domains[name]), name))
        for name in named[:limit]:
            yield ShapeRow(name, tuple(self._domains[name]))
        rest = [self._domains[name] for name in named[limit:]]
        rest += [self._domains[OTHERS]] if OTHERS in self._domains else []
        if rest:
            yield ShapeRow(OTHERS, _sum(rest))


def _sum(counts: Iterable[list[int]]) -> tuple[int, ...]:
    columns = [0] * (len(AGE_MINUTES) + 1)
    for each in counts:
        columns = [one + other for one, other in zip(columns, each, strict=True)]
    return tuple(columns)
