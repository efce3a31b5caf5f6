"""
One listener's sessions: made, counted, and turned away when there are too many.

@see: weakness WK29
"""

from collections.abc import Callable
from typing import Final
from uuid import uuid4

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.logger import Logger

from harakatw.reply import Reply, reply
from harakatw.smtp.connection import NOT_KNOWN, Connection, Local, Remote
from harakatw.smtp.context import SessionContext
from harakatw.smtp.deadlines import Sweep
from harakatw.smtp.lmtp import LMTPProtocol
from harakatw.smtp.protocol import SMTPProtocol
from harakatw.smtp.proxied import ProxiedAddress, introduce
from harakatw.smtp.session import Session

TOO_MANY: Final = reply(421, "4.7.0", "Too many connections, try again later")
TOO_MANY_FROM_YOU: Final = reply(421, "4.7.0", "Too many connections from your address")


class _TurnedAway(Protocol):
    """Tells the client why, and closes."""

    def __init__(self, answer: Reply) -> None:
        self._answer = answer

    def connectionMade(self) -> None:
        """Say no."""
        if self.transport is not None:
            self.transport.write(self._answer.encoded)
            self.transport.loseConnection()


class SMTPFactory(ServerFactory):
    """
    Makes a session for each client.

    @ivar sweep: keeps the sessions, and their deadlines.
    """

    noisy = False
    _log = Logger()

    def __init__(
        self,
        current: Callable[[], SessionContext],
        sweep: Sweep,
        by_address: dict[str, int] | None = None,
    ) -> None:
        """
        @param current: gives the context of a session that begins now; a session keeps
            its own though the server is reloaded meanwhile.
        @param sweep: shared by the listeners of one server.
        @param by_address: how many sessions each IP address has; shared likewise.
        """
        self._current = current
        self.sweep = sweep
        self._by_address = {} if by_address is None else by_address
        self._ends: dict[tuple[str, int], Local] = {}
        # Bound once: each would be an object of its own in every session.
        self._duties = self._local_end, self._ended, self._count_as

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """Begin a session, unless there are too many."""
        context = self._current()
        ip, port = getattr(addr, "host", ""), getattr(addr, "port", 0)
        ip = ip.removeprefix("::ffff:")  # IPv4 on a socket of both families
        refusal = self._refusal(ip, context)
        if refusal is not None:
            self._log.warn("{ip} turned away: {why}", ip=ip, why=refusal.text)
            return _TurnedAway(refusal)
        session = self._begin(ip, port, context)
        if type(addr) is ProxiedAddress:
            introduce(session.connection, addr, context.name)
        return session

    def _refusal(self, ip: str, context: SessionContext) -> Reply | None:
        limits = context.limits
        if (
            limits.max_connections
            and len(self.sweep.sessions) >= limits.max_connections
        ):
            return TOO_MANY
        mine = limits.max_connections_per_ip
        if mine and ip and self._by_address.get(ip, 0) >= mine:
            return TOO_MANY_FROM_YOU
        return None

    def _begin(self, ip: str, port: int, context: SessionContext) -> SMTPProtocol:
        connection = Connection(
            uuid=str(uuid4()).upper(),
            remote=Remote(ip, port),
            local=NOT_KNOWN,
            started=context.clock.seconds(),
        )
        kind = LMTPProtocol if context.listener.protocol == "lmtp" else SMTPProtocol
        session = kind(connection, context, *self._duties)
        self.sweep.add(session)
        self._by_address[ip] = self._by_address.get(ip, 0) + 1
        return session

    def _local_end(self, ip: str, port: int) -> Local:
        """Our end: the same object for all who connect to the same address of ours."""
        end = self._ends.get((ip, port))
        if end is None:
            end = self._ends[ip, port] = Local(ip, port, self._current().name)
        return end

    def _ended(self, session: Session) -> None:
        """A session and its last hooks are over."""
        if not isinstance(session, SMTPProtocol):
            return
        self.sweep.remove(session)
        session.connection.session = None
        self._uncount(session.connected_from)

    def _count_as(self, session: SMTPProtocol, ip: str) -> Reply | None:
        """Another client is behind a connection, who has limits of its own."""
        self._uncount(session.connected_from)
        session.connected_from = ip
        mine = session.context.limits.max_connections_per_ip
        count = self._by_address[ip] = self._by_address.get(ip, 0) + 1
        return TOO_MANY_FROM_YOU if 0 < mine < count else None

    def _uncount(self, ip: str) -> None:
        left = self._by_address.get(ip, 0) - 1
        if left > 0:
            self._by_address[ip] = left
        else:
            self._by_address.pop(ip, None)
