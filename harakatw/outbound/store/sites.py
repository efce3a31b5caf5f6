"""
Which queues have something due: a summary, so that nobody walks through all items.

C{sites} has, for each queue, a time that is never later than that of its first item in
the index C{by_site}; it may be too early. Whoever finds it too early puts it right. So
what is queued and settled within the life of one lease costs no write here: an entry
that is too early stays until its time comes.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from harakatw.interfaces.queue import SiteCount

MAX_COUNT: Final = 1000
"""Due items of a queue that are counted; the rest is taken for the next time."""

_MAX_KNOWN: Final = 10_000

LOWER = """
    INSERT INTO sites (site, wake) VALUES (?, ?)
    ON CONFLICT (site) DO UPDATE SET wake = excluded.wake
    WHERE excluded.wake < sites.wake
"""
LOWER_FOR = """
    INSERT INTO sites (site, wake)
    SELECT site, min(wake) FROM items
    WHERE id IN (SELECT value FROM json_each(?)) AND state < 2 GROUP BY site
    ON CONFLICT (site) DO UPDATE SET wake = excluded.wake
    WHERE excluded.wake < sites.wake
"""
EARLIEST = """
    SELECT wake FROM items WHERE site = ? AND state < 2 ORDER BY wake LIMIT 1
"""
DUE = "SELECT site, wake FROM sites WHERE wake <= ? ORDER BY wake LIMIT ?"
COUNT_DUE = f"""
    SELECT count(*) FROM (
        SELECT 1 FROM items WHERE site = ? AND state < 2 AND wake <= ?
        LIMIT {MAX_COUNT}
    )
"""


@attrs.define(eq=False)
class Sites:
    """
    The summary, inside the writer's transactions.

    @ivar _known: times that the table has for some queues, or later ones.
    """

    _connection: sqlite3.Connection
    _known: dict[str, float] = attrs.field(factory=dict, init=False)

    def note(self, wakes: Mapping[str, float]) -> None:
        """
        Items were put into queues.

        @param wakes: the earliest time at which somebody may take one, by queue.
        """
        if len(self._known) > _MAX_KNOWN:
            self._known.clear()
        known = self._known
        news = [
            (site, wake)
            for site, wake in wakes.items()
            if site not in known or wake < known[site]
        ]
        if news:
            self._connection.executemany(LOWER, news)
            known.update(news)

    def note_items(self, ids: str) -> None:
        """
        Items may be due earlier than they were.

        @param ids: from L{harakatw.outbound.store.rows.encode_ids}.
        """
        self._connection.execute(LOWER_FOR, (ids,))

    def forget(self) -> None:
        """What was noted may not be in the table: the transaction failed."""
        self._known.clear()

    def due(self, now: float, limit: int) -> tuple[SiteCount, ...]:
        """See L{harakatw.interfaces.queue.IQueueStore.due_sites}."""
        while True:
            rows = self._connection.execute(DUE, (now, limit)).fetchall()
            if not self._correct(rows):
                return tuple(self._count(site, wake, now) for site, wake in rows)

    def _correct(self, rows: Iterable[tuple[str, float]]) -> bool:
        """Put those right that are too early. Were there any?"""
        early = [
            (site, actual)
            for site, noted in rows
            if (actual := self._earliest(site)) is None or actual > noted
        ]
        for site, actual in early:
            self._set(site, actual)
        return bool(early)

    def _earliest(self, site: str) -> float | None:
        row = self._connection.execute(EARLIEST, (site,)).fetchone()
        return row[0] if row else None

    def _set(self, site: str, wake: float | None) -> None:
        self._known.pop(site, None)
        if wake is None:
            self._connection.execute("DELETE FROM sites WHERE site = ?", (site,))
        else:
            self._connection.execute("REPLACE INTO sites VALUES (?, ?)", (site, wake))
            self._known[site] = wake

    def _count(self, site: str, wake: float, now: float) -> SiteCount:
        row = self._connection.execute(COUNT_DUE, (site, now)).fetchone()
        return SiteCount(site, row[0], wake)
