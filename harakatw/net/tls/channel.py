"""
TLS for a server, on octets: what the client sent goes in, clear text and what is to be
sent come out.

Twisted's own layer sits between socket and protocol. This one is called by the
protocol, which goes on to write to the plain socket: so it sends at once, its pauses
and limits hold for encrypted connections as they are, and a connection in memory can
be encrypted like a real one.

@see: RFC 8446; C{docs/decisions} says why C{twisted.protocols.tls} is not used
"""

import enum
from collections.abc import Callable
from typing import Final

import attrs
from cryptography import x509
from OpenSSL import SSL

from harakatw.net.binding import channel_binding
from harakatw.net.tls.certificates import UNREADABLE
from harakatw.net.tls.table import Entry, Profile
from harakatw.net.tls.trust import reason
from harakatw.wire.client_hello import MAX_OCTETS, NotTLS, server_name

_READ: Final = 65536
_MIN_ROOM: Final = 1024
_RECORD: Final = 16384
_RECORD_OVERHEAD: Final = 64


class TLSFailure(Exception):
    """
    The connection cannot go on.

    @ivar reason: why, for the log.
    @ivar is_tls: did the client speak TLS at all?
    """

    def __init__(self, reason: str, *, is_tls: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.is_tls = reason, is_tls


@attrs.frozen(eq=False, kw_only=True)
class Secured:
    """
    What was agreed on.

    @ivar version: such as C{TLSv1.3}.
    @ivar server_name: whom the client asked for; C{""} for nobody.
    @ivar peer: who the client is.
    @ivar must_verify: does our configuration refuse a client without a good one?
    """

    version: str
    cipher: str
    server_name: str
    peer: "Peer"
    must_verify: bool = False


@attrs.frozen(eq=False)
class Peer:
    """
    What a client showed.

    @ivar certificate: L{None} if it showed none, or one that makes no sense.
    @ivar subject: whom that names (RFC 4514).
    @ivar problem: why it is not good, C{""} if it is.
    """

    certificate: x509.Certificate | None = None
    subject: str = ""
    problem: str = "no certificate was shown"

    @property
    def verified(self) -> bool:
        """Did the client show a good certificate?"""
        return self.certificate is not None and not self.problem


class _State(enum.Enum):
    HELLO = "the client's hello is coming"
    HANDSHAKE = "shaking hands"
    OPEN = "open"
    OVER = "nothing is read any more"


_SHAKING: Final = frozenset((_State.HELLO, _State.HANDSHAKE))


class ServerChannel:
    """
    The server's end of one encrypted connection.
    """

    __slots__ = ("_choose", "_connection", "_entry", "_name", "_received", "_state")

    def __init__(self, choose: Callable[[str], Entry]) -> None:
        """
        @param choose: finds the context for a name, C{""} for none.
        """
        self._choose = choose
        self._connection: SSL.Connection | None = None
        self._entry: Entry | None = None
        self._name = ""
        self._received = b""
        self._state = _State.HELLO

    @property
    def is_open(self) -> bool:
        """Is the handshake done, and has nobody ended it?"""
        return self._state is _State.OPEN

    @property
    def is_shaking(self) -> bool:
        """Is the handshake still to be done?"""
        return self._state in _SHAKING

    @property
    def is_over(self) -> bool:
        """Has the client said that it will send no more?"""
        return self._state is _State.OVER

    def receive(self, octets: bytes) -> bytes:
        """
        Take what came from the client.

        @return: clear text; none while hands are shaken. Whether that is done tells
            L{is_open}; what L{output} returns is to be sent in any case.
        @raise TLSFailure: if the connection has to end, after L{output} was sent.
        """
        if self._state is _State.OVER or not octets:
            return b""
        try:
            if self._connection is None:
                return self._hello(octets)
            self._connection.bio_write(octets)
            return self._go_on(self._connection)
        except SSL.Error as error:
            self._state = _State.OVER
            raise TLSFailure(reason(error)) from None

    def _hello(self, octets: bytes) -> bytes:
        """Wait for the name, then make the connection with the context for it."""
        self._received += octets
        try:
            if len(self._received) > 2 * MAX_OCTETS:
                raise NotTLS("the client's hello is too long")
            name = server_name(self._received)
        except NotTLS as error:
            self._state = _State.OVER
            raise TLSFailure(str(error), is_tls=False) from None
        if name is None:
            return b""
        self._name, self._entry = name, self._choose(name)
        connection = SSL.Connection(self._entry.context, None)
        connection.set_accept_state()
        self._connection = connection
        received, self._received = self._received, b""
        connection.bio_write(received)
        self._state = _State.HANDSHAKE
        return self._go_on(connection)

    def _go_on(self, connection: SSL.Connection) -> bytes:
        if self._state is _State.HANDSHAKE:
            try:
                connection.do_handshake()
            except SSL.WantReadError:
                return b""
            self._state = _State.OPEN
        pieces = []
        try:
            while True:
                pieces.append(connection.recv(_READ))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self._state = _State.OVER
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def output(self) -> bytes:
        """What is to be sent besides answers: of the handshake, and alerts."""
        return b"" if self._connection is None else _drain(self._connection, _MIN_ROOM)

    def send(self, octets: bytes) -> bytes:
        """
        Encrypt.

        @return: what is to be sent; C{b""} once the connection has ended.
        """
        connection = self._connection
        if connection is None or not octets:
            return b""
        try:
            connection.sendall(octets)
        except SSL.Error:
            return b""
        records = len(octets) // _RECORD + 1
        return _drain(connection, len(octets) + records * _RECORD_OVERHEAD + _MIN_ROOM)

    def close(self) -> bytes:
        """
        End it.

        @return: what is to be sent: that no more will come (RFC 8446 section 6.1).
        """
        connection = self._connection
        if connection is None or self._state is _State.HANDSHAKE:
            return self.output()
        try:
            connection.shutdown()
        except SSL.Error:
            pass
        self._state = _State.OVER
        return _drain(connection, _MIN_ROOM)

    # ---- what was agreed on ----------------------------------------------------------

    def secured(self) -> Secured:
        """
        Tell what was agreed on.

        @raise ValueError: if the handshake is not done.
        """
        connection, entry = self._connection, self._entry
        if connection is None or entry is None or self._state is _State.HANDSHAKE:
            raise ValueError("the handshake is not done")
        return Secured(
            version=connection.get_protocol_version_name(),
            cipher=connection.get_cipher_name() or "",
            server_name=self._name,
            peer=_look_at_peer(connection, entry.profile),
            must_verify=entry.profile.must_verify,
        )

    def binding(self, kind: str) -> bytes | None:
        """
        What ties a login to this very connection (SCRAM's C{-PLUS}).

        @param kind: C{tls-exporter} (RFC 9266) or C{tls-server-end-point} (RFC 5929).
        @return: L{None} if there is no such binding.
        """
        connection = self._connection
        if connection is None or self._state is not _State.OPEN:
            return None
        return channel_binding(connection, kind)


def _look_at_peer(connection: SSL.Connection, profile: Profile) -> Peer:
    """
    Judge what a client showed, which may be anything that OpenSSL can take apart.
    """
    if not profile.wanted.asks:
        return Peer()
    try:
        certificate = connection.get_peer_certificate(as_cryptography=True)
        if certificate is None:
            return Peer()
        chain = connection.get_peer_cert_chain(as_cryptography=True) or ()
        problem = profile.trusted.problem(certificate, chain)
        return Peer(certificate, certificate.subject.rfc4514_string(), problem)
    except UNREADABLE:
        return Peer(problem="the certificate makes no sense")


def _drain(connection: SSL.Connection, room: int) -> bytes:
    """
    Take all that OpenSSL wants to send.

    @param room: how much it will be at most, if it is as usual: to find out that there
        is no more costs an exception.
    """
    pieces = []
    try:
        while True:
            pieces.append(connection.bio_read(room))
            if len(pieces[-1]) < room:
                break
    except SSL.WantReadError:
        pass
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
