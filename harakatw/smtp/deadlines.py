"""
How long a client may take: in all, between commands, and for each octet of a message.

One sweep a second looks at every session, instead of a timer in each: an idle session
costs no memory for it, and a busy one no call.

@see: RFC 5321 section 4.5.3.2 (the least times), survey row 20 (slow clients)
"""

from collections.abc import Collection
from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from harakatw.reply import Reply, reply
from harakatw.smtp.session import Session
from harakatw.wire.session import Phase

IDLE: Final = reply(421, "4.4.2", "Timeout: closing the connection")
TRANSACTION_OVERDUE: Final = reply(421, "4.4.2", "The transaction took too long")
TOO_SLOW: Final = reply(421, "4.4.2", "The message comes too slowly")

_RECEIVING: Final = frozenset((Phase.DATA, Phase.CHUNKS))
_GRACE_SECONDS: Final = 300.0  # RFC 5321 section 4.5.3.2.7
_SWEEP_SECONDS: Final = 1.0
_FAREWELL_SECONDS: Final = 5.0


def overdue(session: Session, last_progress: float, now: float) -> Reply | None:
    """
    Has the client taken too long?

    @param last_progress: when it last finished a command or sent a piece of a message.
    @param now: the same clock's time.
    @return: what to tell it before the connection is closed, or L{None}.
    """
    context, transaction = session.context, session.connection.transaction
    if context.inactivity_seconds and now - last_progress >= context.inactivity_seconds:
        return IDLE
    if transaction is None:
        return None
    if transaction.deadline and now >= transaction.deadline:
        return TRANSACTION_OVERDUE
    rate = context.limits.min_data_rate
    if session.phase in _RECEIVING and rate:
        elapsed = now - session.data_began
        if elapsed > _GRACE_SECONDS and transaction.data_bytes < elapsed * rate:
            return TOO_SLOW
    return None


class Sweepable(Protocol):
    """A session as the sweep sees it."""

    def check_deadlines(self, now: float) -> None:
        """End the session if it has taken too long."""

    def shut_down(self) -> None:
        """The server stops: tell the client."""

    def break_off(self) -> None:
        """The server stops, and waits no longer."""


class Sweep:
    """
    Looks at all sessions once a second, while there are any.

    @ivar sessions: the open ones.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._timer: IDelayedCall | None = None
        self._sessions: set[Sweepable] = set()
        self._drained: Deferred[None] | None = None
        self._force: IDelayedCall | None = None

    @property
    def sessions(self) -> Collection[Sweepable]:
        """The open sessions."""
        return self._sessions

    def add(self, session: Sweepable) -> None:
        """A session began."""
        self._sessions.add(session)
        if self._timer is None:
            self._timer = self._clock.callLater(_SWEEP_SECONDS, self._look)

    def remove(self, session: Sweepable) -> None:
        """A session is over; with the last one the timer goes."""
        self._sessions.discard(session)
        if self._sessions:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._all_gone()

    def release(self, session: Sweepable) -> None:
        """
        A session gives way to its successor, which is added next; then L{remove} it.
        """
        self._sessions.discard(session)

    def drain(self, seconds: float) -> "Deferred[None]":
        """
        Let the sessions end, since the server stops.

        @param seconds: how long they may take before they are told to go.
        @return: fires when there are none, or when they have had time to read that.
        """
        self._drained = Deferred()
        drained = self._drained
        if not self._sessions:
            self._all_gone()
        elif seconds:
            self._force = self._clock.callLater(seconds, self._tell_to_go)
        else:
            self._tell_to_go()
        return drained

    def _tell_to_go(self) -> None:
        self._force = self._clock.callLater(_FAREWELL_SECONDS, self._break_off)
        for session in tuple(self._sessions):
            session.shut_down()

    def _break_off(self) -> None:
        self._force = None
        for session in tuple(self._sessions):
            session.break_off()
        self._all_gone()

    def _all_gone(self) -> None:
        force, self._force = self._force, None
        if force is not None:
            force.cancel()
        drained, self._drained = self._drained, None
        if drained is not None:
            drained.callback(None)

    def _look(self) -> None:
        self._timer = self._clock.callLater(_SWEEP_SECONDS, self._look)
        now = self._clock.seconds()
        for session in tuple(self._sessions):
            session.check_deadlines(now)
