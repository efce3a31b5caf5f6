"""A vpopmaild in memory."""

from typing import Any

import attrs
from twisted.internet.address import IPv4Address
from twisted.internet.testing import MemoryReactorClock, StringTransport


@attrs.define(eq=False)
class FakeVpopmaild:
    """
    Answers as vpopmaild does (its C{vpopmaild.c} of 2011).

    @ivar users: passwords by address.
    @ivar admins: who may ask for passwords.
    @ivar no_smtp: who may not send mail.
    @ivar said: what it says at once.
    @ivar breaks: what it answers in place of the right thing, by command.
    @ivar commands: what it was told.
    """

    users: dict[str, str] = attrs.field(factory=dict)
    admins: set[str] = attrs.field(factory=set)
    no_smtp: set[str] = attrs.field(factory=set)
    said: bytes = b"+OK \r\n"
    breaks: dict[str, bytes] = attrs.field(factory=dict)
    commands: list[str] = attrs.field(factory=list)

    def answer(self, line: str) -> bytes:
        """Do as a line says."""
        self.commands.append(line)
        command, _, rest = line.partition(" ")
        if command in self.breaks:
            return self.breaks[command]
        if command in ("login", "slogin"):
            return self._login(command, *rest.split(" ", 1))
        if command == "user_info":
            known = rest in self.users
            return self._info(rest) if known else b"-ERR 12.605 User does not exist\r\n"
        return b"-ERR 4.107 Invalid Command\r\n"

    def _login(self, command: str, user: str, password: str) -> bytes:
        if self.users.get(user) != password:
            return b"-ERR 8.207 Invalid Login\r\n"
        return b"+OK \r\n" if command == "slogin" else self._info(user)

    def _info(self, user: str) -> bytes:
        lines = [
            "+OK+", "vpopmail_dir /home/vpopmail", f"name {user.partition('@')[0]}",
            "comment clear_text_password x", "quota NOQUOTA",
            f"clear_text_password {self.users[user]}",
            f"no_smtp {int(user in self.no_smtp)}", ".",
        ]  # fmt: skip
        return "".join(f"{line}\r\n" for line in lines).encode()


class ClientTransport(StringTransport):
    """
    The client's side of a connection.

    @ivar protocol: the client.
    """

    protocol: Any = None


def talk(reactor: MemoryReactorClock, server: FakeVpopmaild) -> ClientTransport:
    """Let the last connection that was opened reach the server, and both talk."""
    host, port, factory, *_ = reactor.tcpClients[-1]
    protocol: Any = factory.buildProtocol(None)
    transport = ClientTransport(peerAddress=IPv4Address("TCP", host, port))
    transport.protocol = protocol
    protocol.makeConnection(transport)
    protocol.dataReceived(server.said)
    while transport.value():
        lines = transport.value().decode().split("\r\n")
        transport.clear()
        for line in lines[:-1]:
            if line == "quit":
                server.commands.append(line)
            else:
                for octet in server.answer(line):  # every way it may be cut
                    protocol.dataReceived(bytes([octet]))
    return transport
