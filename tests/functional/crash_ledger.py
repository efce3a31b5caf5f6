"""Who was promised a message, who has got it, and what that says of a server."""

import itertools
import time
from collections.abc import Iterator
from typing import Final

import attrs

from tests.functional.sink import Taken

IN_FLIGHT_SECONDS: Final = 2.0
"""
How long before a kill a delivery may have ended so that it was still in flight: that it
is over was known to the sink, and not yet on the server's disk.
"""

Owed = tuple[str, str]
"""A message's id and one of its recipients."""


@attrs.frozen
class Arrival:
    """
    A message came for a recipient.

    @ivar life: of the server, counted from 0.
    @ivar at: when, by the monotonic clock.
    @ivar is_whole: are its octets those that were sent?
    """

    life: int
    at: float
    is_whole: bool


@attrs.frozen(kw_only=True)
class Outcome:
    """
    What was found.

    @ivar kills: how often the server was killed.
    @ivar acknowledged: messages that were answered 250.
    @ivar owed: recipients of these.
    @ivar lost: those who have not got it.
    @ivar damaged: those who have got something else.
    @ivar duplicates: how many copies too many there were.
    @ivar late: duplicates of what was not in flight when the server was killed.
    @ivar unheard: messages that came although their client never read the 250.
    @ivar left: items in the queue at the end.
    @ivar slowest_start: seconds from a start until the next 250, at most.
    @ivar longest_flight: seconds from a first copy to the kill after it, at most.
    """

    kills: int
    acknowledged: int
    owed: int
    lost: tuple[Owed, ...]
    damaged: tuple[Owed, ...]
    duplicates: int
    late: tuple[Owed, ...]
    unheard: int
    left: int
    slowest_start: float
    longest_flight: float


@attrs.define(eq=False)
class Ledger:
    """
    Who was promised what, and who has got what.

    @ivar sent: bodies and recipients, by message id.
    @ivar promised: when each message was answered 250.
    @ivar arrived: copies, in order.
    @ivar killed_at: when each life ended.
    @ivar is_closing: is everything to be taken at once now?
    """

    sent: dict[str, tuple[bytes, tuple[str, ...]]] = attrs.field(factory=dict)
    promised: dict[str, float] = attrs.field(factory=dict)
    arrived: dict[Owed, list[Arrival]] = attrs.field(factory=dict)
    killed_at: list[float] = attrs.field(factory=list)
    is_closing: bool = False

    def owed(self) -> Iterator[Owed]:
        """Everybody to whom a promise was made."""
        for message_id in self.promised:
            for recipient in self.sent[message_id][1]:
                yield message_id, recipient

    def missing(self) -> tuple[Owed, ...]:
        """Who has not got what was promised."""
        return tuple(owed for owed in self.owed() if owed not in self.arrived)

    def note(self, taken: Taken) -> None:
        """A message came."""
        header, _, body = taken.octets.partition(b"\r\n\r\n")
        message_id = header.partition(b"Message-ID: <")[2].partition(b">")[0].decode()
        is_whole = body == self.sent.get(message_id, (b"",))[0]
        arrival = Arrival(len(self.killed_at), time.monotonic(), is_whole)
        for recipient in taken.recipients:
            self.arrived.setdefault((message_id, recipient), []).append(arrival)

    def late(self) -> Iterator[Owed]:
        """Who has got a copy again that nobody can have thought missing."""
        for owed, arrivals in self.arrived.items():
            for first, second in itertools.pairwise(arrivals):
                if first.life == second.life or self._flight(first) > IN_FLIGHT_SECONDS:
                    yield owed

    def flights(self) -> Iterator[float]:
        """For each duplicate: seconds from the copy before to the kill after that."""
        for arrivals in self.arrived.values():
            for first, second in itertools.pairwise(arrivals):
                if first.life != second.life:
                    yield self._flight(first)

    def _flight(self, arrival: Arrival) -> float:
        return self.killed_at[arrival.life] - arrival.at


def outcome_of(ledger: Ledger, kills: int, left: int, slowest: float) -> Outcome:
    """Compare."""
    owed = set(ledger.owed())
    arrived = {message_id for message_id, _ in ledger.arrived}
    return Outcome(
        kills=kills,
        acknowledged=len(ledger.promised),
        owed=len(owed),
        lost=ledger.missing(),
        damaged=tuple(
            each
            for each, arrivals in ledger.arrived.items()
            if not all(arrival.is_whole for arrival in arrivals)
        ),
        duplicates=sum(len(arrivals) - 1 for arrivals in ledger.arrived.values()),
        late=tuple(ledger.late()),
        unheard=len(arrived.difference(ledger.promised)),
        left=left,
        slowest_start=slowest,
        longest_flight=max(ledger.flights(), default=0.0),
    )
