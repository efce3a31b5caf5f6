"""
Connections that may be used again, by hop.

@see: weaknesses WK12 and IS11: Haraka opens a connection for each message
"""

from collections.abc import Callable

from twisted.internet.defer import Deferred, DeferredList

from harakatw.outbound.client.protocol import SMTPClient
from harakatw.outbound.client.tls_rules import TLSPolicy
from harakatw.outbound.hop import Hop

Connect = Callable[[Hop, TLSPolicy], "Deferred[SMTPClient]"]

_SWEEP_AT = 64


class ClientPool:
    """
    Keeps clients that wait for another message.

    How long they wait, and how many messages they take, the clients know themselves.
    """

    def __init__(self, connect: Connect, policy: Callable[[Hop], TLSPolicy]) -> None:
        """
        @param connect: makes a client, or fails as L{harakatw.outbound.client.connect}
            says.
        @param policy: how a hop is to be encrypted.
        """
        self._connect = connect
        self._policy = policy
        self._idle: dict[Hop, list[SMTPClient]] = {}
        self._waiting = 0
        self._swept = 0
        self._is_closed = False

    def idle(self, hop: Hop) -> SMTPClient | None:
        """A client that can be given a message now, if there is one."""
        clients = self._idle.get(hop)
        while clients:
            client = clients.pop()
            self._waiting -= 1
            if client.is_free:
                return client
        return None

    def connect(
        self, hop: Hop, policy: TLSPolicy | None = None
    ) -> "Deferred[SMTPClient]":
        """
        Make a new client.

        @param policy: instead of the hop's own, to try again in clear.
        """
        return self._connect(hop, policy or self._policy(hop))

    def give_back(self, hop: Hop, client: SMTPClient, most: int | None = None) -> None:
        """
        A message was delivered, or was not: may the client be used again?

        @param most: messages that the site wants over one connection, if it is known.
        """
        if not client.is_free:
            if self._idle.get(hop) == []:
                del self._idle[hop]
            return
        if self._is_closed or (most is not None and client.messages >= most):
            client.quit()
            return
        self._idle.setdefault(hop, []).append(client)
        self._waiting += 1
        if self._waiting > _SWEEP_AT and self._waiting > 2 * self._swept:
            self._sweep()

    def _sweep(self) -> None:
        """Forget clients that have left meanwhile, and hops without any."""
        kept = {
            hop: [client for client in clients if client.is_free]
            for hop, clients in self._idle.items()
        }
        self._idle = {hop: clients for hop, clients in kept.items() if clients}
        self._waiting = self._swept = sum(map(len, self._idle.values()))

    def close(self) -> "Deferred[object]":
        """
        Say QUIT to all that wait, and from now on to whatever is given back.

        @return: fires when those that waited are closed.
        """
        self._is_closed = True
        clients = [client for each in self._idle.values() for client in each]
        self._idle, self._waiting = {}, 0
        closed = DeferredList([client.quit() for client in clients], consumeErrors=True)
        return closed.addCallback(lambda _: None)
