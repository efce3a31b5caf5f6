"""A TLS client in memory, for servers in memory."""

from pathlib import Path
from typing import Any

import attrs
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from OpenSSL import SSL

from harakatw.config.files import ConfigFiles
from harakatw.net.tls.load import load_tls
from harakatw.net.tls.options import TLSOptions
from harakatw.net.tls.server import ServerTLS
from harakatw.testing.server import MemoryClient
from tests.certificates import Signed, own, write_pair


def server_tls(folder: Path, signed: Signed | None = None, **options: Any) -> ServerTLS:
    """
    What a server of the name C{mail.example} encrypts with.

    @param folder: its C{config/}, which is made.
    @param signed: its certificate.
    @param options: C{tls.ini}.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_pair(folder, signed or own("mail.example"))
    chosen = TLSOptions(**options)
    loaded = load_tls(chosen, ConfigFiles(folder), "mail.example")
    assert not loaded.problems, loaded.problems
    return ServerTLS(loaded.table, chosen)


def client_connection(
    name: str = "mail.example",
    shows: Signed | None = None,
    newest: int = SSL.TLS1_3_VERSION,
    ciphers: bytes = b"",
) -> SSL.Connection:
    """
    A client's end.

    @param name: whom it asks for; C{""} for nobody.
    @param shows: its certificate.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(newest)
    if ciphers:
        context.set_cipher_list(ciphers)
    if shows is not None:
        context.use_certificate(load_pem_x509_certificate(shows.certificate))
        key: Any = load_pem_private_key(shows.key, None)
        context.use_privatekey(key)
    connection = SSL.Connection(context, None)
    if name:
        connection.set_tlsext_host_name(name.encode())
    connection.set_connect_state()
    return connection


def pending(connection: SSL.Connection) -> bytes:
    """What an end wants to send."""
    pieces = []
    try:
        while True:
            pieces.append(connection.bio_read(1 << 16))
    except SSL.WantReadError:
        return b"".join(pieces)


@attrs.define(eq=False)
class EncryptedClient:
    """
    A client of a server in memory that speaks TLS with it.

    @ivar clear: the client below.
    @ivar tls: OpenSSL's end.
    @ivar ended: did the server end TLS in order?
    """

    clear: MemoryClient
    tls: SSL.Connection
    ended: bool = False

    def heard(self) -> bytes:
        """What the server sent on its socket."""
        transport: Any = self.clear.transport
        octets: bytes = transport.value()
        transport.clear()
        return octets

    def shake_hands(self) -> None:
        """
        Carry octets to and fro until the handshake is done.

        @raise SSL.Error: if it fails.
        """
        for _ in range(10):
            octets = self.heard()
            if octets:
                self.tls.bio_write(octets)
            done = self._try()
            octets = pending(self.tls)
            if octets:
                self.clear.send(octets)
            if done:
                return
        raise AssertionError("the handshake does not end")

    def _try(self) -> bool:
        try:
            self.tls.do_handshake()
        except SSL.WantReadError:
            return False
        return True

    def say(self, *lines: str) -> None:
        """Send lines, encrypted, in one go."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    def send(self, octets: bytes) -> None:
        """Send octets, encrypted."""
        self.tls.sendall(octets)
        self.clear.send(pending(self.tls))

    def hear(self) -> str:
        """All that the server has said since the last call."""
        octets = self.heard()
        if octets:
            self.tls.bio_write(octets)
        pieces = []
        try:
            while True:
                pieces.append(self.tls.recv(1 << 16))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.ended = True
        return b"".join(pieces).decode("ascii")

    def ask(self, *lines: str) -> str:
        """Send lines, and return what is answered."""
        self.hear()
        self.say(*lines)
        return self.hear()

    def codes(self) -> list[int]:
        """The codes of all replies since the last call, one for each reply."""
        return [int(line[:3]) for line in self.hear().split("\r\n") if line[3:4] == " "]
