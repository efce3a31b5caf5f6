"""
What plugins may ask for, when the command loads them without a server.

A test holds the names in step with those that the server gives.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from uuid import uuid4

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from zope.interface import implementer

from harakatw.cli.instance import OpenInstance
from harakatw.errors import StoreError, TemporaryFailure
from harakatw.interfaces.services import IHostLogin, IOutbound, IThreads
from harakatw.interfaces.session import IConnection
from harakatw.outbound.letter import read_envelope
from harakatw.outbound.login import NOT_WORKING
from harakatw.process.server import Server
from harakatw.process.settings import own_name

_T = TypeVar("_T")


@implementer(IThreads)
@attrs.frozen
class ReactorThreads:
    """The reactor's own threads: they begin when first used, and end with it."""

    _reactor: Any

    def call(self, function: Callable[..., _T], *args: object) -> "Deferred[_T]":
        """Run C{function(*args)} in a thread; see L{IThreads.call}."""
        pool = self._reactor.getThreadPool()
        return deferToThreadPool(self._reactor, pool, function, *args)


@implementer(IOutbound)
@attrs.frozen
class NoOutbound:
    """
    Stands for the outbound queue. Who tries plugins wants to see what they do, but no
    mail to leave: what they send is checked as a server would, logged, and forgotten.
    """

    _log = Logger()

    def queue(self, connection: IConnection) -> "Deferred[str]":
        """Nothing is queued; see L{IOutbound.queue}."""
        return fail(StoreError("mail is queued by a server only"))

    def flush(self, domain: str, *, below: bool = False) -> "Deferred[int]":
        """Nothing waits; see L{IOutbound.flush}."""
        return succeed(0)

    def send_email(
        self,
        sender: str,
        recipients: str | Iterable[str],
        contents: str | bytes | Iterable[bytes],
        notes: Mapping[str, object] | None = None,
    ) -> "Deferred[str]":
        """Nothing is sent; see L{IOutbound.send_email}."""
        path, to = read_envelope(sender, recipients)
        self._log.info(
            "mail of a plugin, from {sender} to {rcpts}, is not sent: no server runs",
            sender=str(path),
            rcpts=", ".join(map(str, to)),
        )
        return succeed(str(uuid4()).upper())


@implementer(IHostLogin)
@attrs.frozen
class NoHostLogin:
    """Stands for what asks other servers: nobody's password leaves without a server."""

    def login(
        self, host: str, user: str, password: str, *, clear: bool = False
    ) -> "Deferred[bool]":
        """Nobody is asked; see L{IHostLogin.login}."""
        return fail(TemporaryFailure(NOT_WORKING, host=host))


def make_server(instance: OpenInstance) -> Server:
    """Name the server as it would name itself."""
    return Server(own_name(instance.settings), str(instance.directory))


def make_services(
    instance: OpenInstance, reactor: Any, server: Server | None = None
) -> Mapping[str, object]:
    """
    Make the services by the names under which plugins ask for them.

    @param reactor: time, threads and sockets.
    @param server: L{None} to have it made.
    """
    return {
        "clock": reactor,
        "reactor": reactor,
        "now": time.time,
        "threads": ReactorThreads(reactor),
        "server": server or make_server(instance),
        "outbound": NoOutbound(),
        "host_login": NoHostLogin(),
    }
