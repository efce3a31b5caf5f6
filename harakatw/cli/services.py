"""
What plugins may ask for, when the command loads them without a server.

A test holds the names in step with those that the server gives.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from zope.interface import implementer

from harakatw.cli.instance import OpenInstance
from harakatw.interfaces.services import IThreads
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
    }
