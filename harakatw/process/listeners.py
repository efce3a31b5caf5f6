"""The ports that a server listens on."""

import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

import attrs
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IReactorTCP, IReactorUNIX
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger

from harakatw.config.endpoints import ListenAddress
from harakatw.errors import ConfigError

_BACKLOG = 1024


def _has_ipv6() -> bool:
    """
    Can this machine have IPv6 sockets? A kernel may be without, whatever Python has.
    """
    try:
        socket.socket(socket.AF_INET6).close()
    except OSError:
        return False
    return True


class Listeners:
    """
    Opens and closes ports, so that exactly the wanted ones are open.

    @ivar ports: the open ones, by address.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTCP,
        factory_for: Callable[[ListenAddress], ServerFactory],
    ) -> None:
        """
        @param factory_for: makes what serves the clients of an address.
        """
        self._reactor = reactor
        self._factory_for = factory_for
        self.ports: dict[ListenAddress, IListeningPort] = {}

    def listen(self, addresses: Iterable[ListenAddress]) -> None:
        """
        Open the ports that are not open yet, then close those that are not wanted.

        In this order, since a server that has given up its rights could not open a low
        port again. So a port cannot move to another address of the same number while it
        is open: that takes a restart.

        @raise ConfigError: if a port cannot be opened; then all is as it was.
        """
        wanted = tuple(dict.fromkeys(addresses))
        opened: dict[ListenAddress, IListeningPort] = {}
        try:
            for address in wanted:
                if address not in self.ports:
                    opened[address] = self._open(address)
        except ConfigError:
            for port in opened.values():
                port.stopListening()
            raise
        for address in opened:
            self._log.info("listening on {address}", address=str(address))
        self.ports.update(opened)
        for address in [open_ for open_ in self.ports if open_ not in wanted]:
            self._log.info("no more listening on {address}", address=str(address))
            self.ports.pop(address).stopListening()

    def _open(self, address: ListenAddress) -> IListeningPort:
        factory = self._factory_for(address)
        if address.host == "::" and not _has_ipv6():
            address = attrs.evolve(address, host="0.0.0.0")
        try:
            if address.path:
                unix = IReactorUNIX(self._reactor)
                mode = 0o666 if address.mode is None else address.mode
                return unix.listenUNIX(
                    address.path, factory, _BACKLOG, mode, wantPID=True
                )
            return self._reactor.listenTCP(
                address.port, factory, _BACKLOG, address.host
            )
        except Exception as error:
            cause: Any = getattr(error, "socketError", error)
            number = getattr(cause, "errno", None)
            why = os.strerror(number) if number else str(cause)
            raise ConfigError(
                (f"config/smtp.ini: [main] listen: cannot listen on {address}: {why}",)
            ) from error

    def stop(self) -> "Deferred[Any]":
        """Close all ports; fires when they are closed."""
        ports = list(self.ports.values())
        self.ports.clear()
        return DeferredList([maybeDeferred(port.stopListening) for port in ports])
