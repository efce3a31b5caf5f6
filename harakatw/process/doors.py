"""What the clients of each listener are served by."""

from collections.abc import Mapping

import attrs

from harakatw.config.endpoints import ListenAddress
from harakatw.config.listeners import Listener
from harakatw.smtp.context import SessionContext
from harakatw.smtp.deadlines import Sweep
from harakatw.smtp.factory import SMTPFactory
from harakatw.smtp.proxy_front import ProxyFactory


class Doors:
    """
    Makes the factories of the listeners, and tells them with what a session begins.

    All sessions have one sweep, and are counted by their IP address together.

    @ivar factories: those made so far.
    """

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._by_address: dict[str, int] = {}
        self._contexts: dict[ListenAddress, SessionContext] = {}
        self.factories: dict[ListenAddress, SMTPFactory] = {}

    def renew(
        self, context: SessionContext, profiles: Mapping[ListenAddress, Listener]
    ) -> None:
        """
        Sessions that begin from now on get this.

        A listener that is in no file any more keeps its profile: should the reload fail
        to open the new ports, the old ones stay open.

        @param context: for all of them, but for their listener.
        @param profiles: the listeners.
        """
        old = {at: before.listener for at, before in self._contexts.items()}
        self._contexts = {
            address: attrs.evolve(context, listener=profile)
            for address, profile in {**old, **profiles}.items()
        }

    def context(self, address: ListenAddress) -> SessionContext:
        """
        With what a session at a listener begins.

        @raise KeyError: if L{renew} has not heard of it.
        """
        return self._contexts[address]

    def door(self, address: ListenAddress) -> ProxyFactory:
        """
        What a listener opens with: it lets clients and proxies in, to the sessions that
        L{factory} makes.
        """
        return ProxyFactory(
            self.factory(address), lambda: self.context(address), self._sweep
        )

    def factory(self, address: ListenAddress) -> SMTPFactory:
        """What serves the clients of a listener; the same one each time."""
        factory = self.factories.get(address)
        if factory is None:
            factory = self.factories[address] = SMTPFactory(
                lambda: self.context(address), self._sweep, self._by_address
            )
        return factory
