"""Tests of C{harakatw.wire.client_hello}."""

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from harakatw.wire.client_hello import (
    MAX_OCTETS,
    NotTLS,
    looks_like_tls,
    server_name,
)
from tests.properties import given
from tests.properties import st as some
from tests.tls_clients import client_connection, pending


def hello(name: str = "mail.example", newest: int = SSL.TLS1_3_VERSION) -> bytes:
    """What OpenSSL says first."""
    connection = client_connection(name, newest=newest)
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        pass
    return pending(connection)


def in_records(octets: bytes, size: int) -> bytes:
    """The message of one record in several."""
    message = octets[5:]
    pieces = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(
        octets[:3] + len(piece).to_bytes(2, "big") + piece for piece in pieces
    )


class NameTests(SynchronousTestCase):
    """Whom a client asks for."""

    def test_name(self) -> None:
        """The name is found, whatever the version of TLS."""
        for newest in (SSL.TLS1_3_VERSION, SSL.TLS1_2_VERSION):
            self.assertEqual(server_name(hello("mail.example", newest)), "mail.example")

    def test_spelling(self) -> None:
        """Names have no case."""
        self.assertEqual(server_name(hello("Mail.EXAMPLE")), "mail.example")

    def test_nobody(self) -> None:
        """A client need not ask for anybody."""
        self.assertEqual(server_name(hello("")), "")

    def test_cut_anywhere(self) -> None:
        """It may come in any pieces: before its last octet there is no name."""
        octets = hello()
        for cut in range(len(octets)):
            self.assertIsNone(server_name(octets[:cut]), cut)
        self.assertEqual(server_name(octets + b"more"), "mail.example")

    def test_in_records(self) -> None:
        """TLS may cut the message too (RFC 8446 section 5.1)."""
        octets = hello()
        size = len(octets) // 3
        self.assertEqual(server_name(in_records(octets, size)), "mail.example")

    def test_in_too_many_records(self) -> None:
        """Nobody has reason to cut it into crumbs but to make us work."""
        error = self.assertRaises(NotTLS, server_name, in_records(hello(), 9))
        self.assertIn("too many pieces", str(error))

    def test_too_long(self) -> None:
        """A message that says it will be megabytes is not waited for."""
        octets = b"\x16\x03\x01\x00\x04\x01" + (MAX_OCTETS + 1).to_bytes(3, "big")
        self.assertRaises(NotTLS, server_name, octets)

    def test_not_tls(self) -> None:
        """SMTP, other records of TLS and empty records are told at once."""
        for octets in (
            b"EHLO client.example\r\n",
            b"\x15\x03\x01\x00\x02\x02\x28",
            b"\x16\x03\x01\x00\x00",
            b"\x16\x03\x01\xff\xff",
            b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        ):
            self.assertRaises(NotTLS, server_name, octets)

    def test_lengths_that_lie(self) -> None:
        """A length that leads beyond the end finds no name, and does no harm."""
        octets = bytearray(hello())
        octets[5 + 4 + 34] = 255  # of the session's id
        self.assertEqual(server_name(bytes(octets)), "")

    @given(some.integers(0, 400), some.integers(0, 255))
    def test_changed(self, place: int, octet: int) -> None:
        """Any octet may be another: the worst that comes of it is that it is no TLS."""
        octets = bytearray(hello())
        octets[place % len(octets)] = octet
        try:
            name = server_name(bytes(octets))
        except NotTLS:
            return
        self.assertTrue(name is None or (name.isascii() and name.isprintable()))

    @given(some.binary(max_size=300))
    def test_random(self, octets: bytes) -> None:
        """So may all of them."""
        for beginning in (
            b"",
            b"\x16\x03\x01",
            b"\x16\x03\x03\x00\x80\x01\x00\x00\x7c",
        ):
            try:
                server_name(beginning + octets)
            except NotTLS:
                pass

    def test_looks(self) -> None:
        """The first two octets tell TLS from a line of SMTP."""
        for octets, looks in (
            (b"\x16\x03\x01", True),
            (b"\x16", True),
            (b"", False),
            (b"\x16\x04", False),
            (b"EHLO", False),
        ):
            self.assertEqual(looks_like_tls(octets), looks)
