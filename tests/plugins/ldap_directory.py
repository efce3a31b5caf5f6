"""An LDAP server in memory."""

from typing import Any

import attrs
from twisted.internet.address import IPv4Address
from twisted.internet.testing import MemoryReactorClock, StringTransport

from harakatw.plugins._ldap_messages import (
    BIND_ANSWER,
    ENTRY,
    EXTENDED_ANSWER,
    SEARCH_DONE,
    Message,
    Messages,
    element,
    octets,
    read_element,
)


def answer(number: int, kind: int, code: int = 0) -> bytes:
    """A result."""
    result = element(kind, element(0x0A, bytes((code,))), octets(""), octets(""))
    return element(0x30, element(2, bytes((number,))), result)


@attrs.define(eq=False)
class FakeDirectory:
    """
    Lets in whom it knows; and who names nobody or has no password, as nobody.

    @ivar passwords: by distinguished name.
    @ivar found: the names that any search finds.
    @ivar codes: results to answer with, by what was asked for.
    @ivar breaks: what it answers in place of the right thing, likewise.
    @ivar asked: what it was asked, in order.
    """

    passwords: dict[str, str] = attrs.field(factory=dict)
    found: list[str] = attrs.field(factory=list)
    codes: dict[str, int] = attrs.field(factory=dict)
    breaks: dict[str, bytes] = attrs.field(factory=dict)
    asked: list[tuple[str, ...]] = attrs.field(factory=list)

    def answer(self, request: Message) -> bytes:
        """Do as a request says."""
        methods = {0x60: self._bind, 0x63: self._search, 0x77: self._extended}
        if request.kind == 0x42:
            self.asked.append(("unbind",))
            return b""
        said = methods[request.kind](request.number, request.body)
        return self.breaks.get(self.asked[-1][0], said)

    def _bind(self, number: int, body: bytes) -> bytes:
        _, _, rest = read_element(body)
        _, name, rest = read_element(rest)
        _, password, _ = read_element(rest)
        self.asked.append(("bind", name.decode(), password.decode()))
        known = self.passwords.get(name.decode())
        is_right = not (name and password) or known == password.decode()
        code = self.codes.get("bind", 0 if is_right else 49)
        return answer(number, BIND_ANSWER, code)

    def _search(self, number: int, body: bytes) -> bytes:
        _, base, rest = read_element(body)
        for _ in range(5):
            *_, rest = read_element(rest)
        tag, value, _ = read_element(rest)
        wanted = element(tag, value)
        self.asked.append(("search", base.decode(), wanted.decode("latin-1")))
        entries = [
            element(
                0x30,
                element(2, bytes((number,))),
                element(ENTRY, octets(name), element(0x30)),
            )
            for name in self.found
        ]
        code = self.codes.get("search", 0)
        return b"".join(entries) + answer(number, SEARCH_DONE, code)

    def _extended(self, number: int, body: bytes) -> bytes:
        self.asked.append(("extended", read_element(body)[1].decode()))
        return answer(number, EXTENDED_ANSWER, self.codes.get("extended", 0))


class ClientTransport(StringTransport):
    """
    The client's side of a connection.

    @ivar protocol: the client.
    @ivar tls: what TLS was begun with.
    """

    protocol: Any = None
    tls: Any = None

    def startTLS(self, tls: Any) -> None:
        """Remember it."""
        self.tls = tls


def talk(
    reactor: MemoryReactorClock, server: FakeDirectory, *, cut: bool = True
) -> ClientTransport:
    """
    Let the last connection that was opened reach the server, and both talk.

    @param cut: does each octet come by itself?
    """
    host, port, factory, *_ = reactor.tcpClients[-1]
    protocol: Any = factory.buildProtocol(None)
    transport = ClientTransport(peerAddress=IPv4Address("TCP", host, port))
    transport.protocol = protocol
    protocol.makeConnection(transport)
    requests = Messages()
    while transport.value():
        data = transport.value()
        transport.clear()
        for request in requests.feed(data):
            said = server.answer(request)
            pieces = [bytes((octet,)) for octet in said] if cut else [said]
            for piece in pieces:
                if not transport.disconnected:
                    protocol.dataReceived(piece)
    return transport
