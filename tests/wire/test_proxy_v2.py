"""Binary PROXY headers."""

import struct

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ProtocolError
from harakatw.wire.proxy_header import ProxyHeader, ProxyTLS
from harakatw.wire.proxy_v2 import SIGNATURE, parse_binary
from tests.proxy_headers import LOCAL, binary, ends, ssl, value, with_checksum


class BinaryTests(SynchronousTestCase):
    """Version 2."""

    def test_internet(self) -> None:
        """IPv4 and IPv6, of TCP and of UDP."""
        v6 = ends("2001:db8::7", "::1", 1, 2)
        for family, protocol in ((0x11, "TCP4"), (0x12, "UDP4")):
            self.assertEqual(
                parse_binary(binary(family=family)),
                ProxyHeader(2, protocol, "198.51.100.7", 56324, "192.0.2.25", 25),
            )
        for family, protocol in ((0x21, "TCP6"), (0x22, "UDP6")):
            self.assertEqual(
                parse_binary(binary(family=family, addresses=v6)),
                ProxyHeader(2, protocol, "2001:db8::7", 1, "::1", 2),
            )

    def test_mapped(self) -> None:
        """IPv4 in the clothes of IPv6 is IPv4."""
        addresses = ends("::ffff:198.51.100.7", "::ffff:192.0.2.25", 1, 2)
        header = parse_binary(binary(family=0x21, addresses=addresses))
        self.assertEqual(header.source, "198.51.100.7")

    def test_unix(self) -> None:
        """Unix sockets have paths; these are no addresses of a client."""
        paths = b"/run/a\n".ljust(108, b"\0") + b"/run/b".ljust(108, b"\0")
        for family in (0x31, 0x32):
            header = parse_binary(binary(family=family, addresses=paths))
            self.assertEqual(header, ProxyHeader(2, "UNIX", "/run/a?", 0, "/run/b", 0))
            self.assertFalse(header.has_addresses)

    def test_nobody(self) -> None:
        """LOCAL and unknown families name nobody, whatever else they carry."""
        self.assertEqual(parse_binary(LOCAL), ProxyHeader(2, "LOCAL"))
        local = SIGNATURE + b"\x20\x11\x00\x05xxxxx"
        self.assertEqual(parse_binary(local), ProxyHeader(2, "LOCAL"))
        for family in (0x00, 0x01, 0x02, 0x10, 0x20, 0x30):
            header = parse_binary(binary(family=family, addresses=b"xxxx"))
            self.assertEqual(header, ProxyHeader(2, "UNKNOWN"))

    def test_short(self) -> None:
        """A block that is too short for its addresses is refused."""
        for family, octets in ((0x11, 12), (0x21, 36), (0x31, 216)):
            with self.assertRaises(ProtocolError):
                parse_binary(binary(family=family, addresses=bytes(octets - 1)))
            parse_binary(binary(family=family, addresses=bytes(octets)))

    def test_values(self) -> None:
        """Types that are of no use here are skipped; the host's name is kept."""
        header = parse_binary(
            binary(
                value(1, b"h2"),
                value(2, b"mx.example"),
                value(2, b"other.example"),
                value(4, b""),
                value(5, b"id"),
                value(0x30, b"net"),
                value(0xEE, b"\0" * 300),
            )
        )
        self.assertEqual(header.server_name, "mx.example")
        self.assertIsNone(header.tls)

    def test_cut_values(self) -> None:
        """A value that reaches beyond the header is refused, as is half a head."""
        for rest in (b"\x04", b"\x04\x00", b"\x04\x00\x01", b"\x04\xff\xffxx"):
            with self.assertRaises(ProtocolError, msg=rest):
                parse_binary(binary(rest))

    def test_checksum(self) -> None:
        """A checksum that is there must be right, wherever it stands."""
        header = with_checksum(value(2, b"mx.example"))
        self.assertEqual(parse_binary(header).server_name, "mx.example")
        for at in (16, 29, len(header) - 1):
            damaged = bytearray(header)
            damaged[at] ^= 1
            with self.assertRaises(ProtocolError, msg=at):
                parse_binary(bytes(damaged))
        for octets in (b"", b"\0\0\0", b"\0" * 5):
            with self.assertRaises(ProtocolError):
                parse_binary(binary(value(3, octets)))


class TLSTests(SynchronousTestCase):
    """What a proxy that ends TLS tells of it."""

    def test_told(self) -> None:
        """Version, cipher and the name in the client's certificate."""
        header = parse_binary(
            binary(
                ssl(
                    0x07,
                    0,
                    value(0x21, b"TLSv1.3"),
                    value(0x22, "B\u00fccher\r".encode()),
                    value(0x23, b"TLS_AES_128_GCM_SHA256"),
                    value(0x24, b"SHA256"),
                )
            )
        )
        self.assertEqual(
            header.tls,
            ProxyTLS(True, True, "TLSv1.3", "TLS_AES_128_GCM_SHA256", "B\u00fccher?"),
        )

    def test_verified(self) -> None:
        """Only a certificate that was shown and found good is verified."""
        for client, refused, verified in (
            (0x01, 0, False),
            (0x03, 0, True),
            (0x05, 0, True),
            (0x03, 1, False),
            (0x00, 0, False),
        ):
            tls = parse_binary(binary(ssl(client, refused))).tls
            assert tls is not None
            self.assertEqual(tls.verified, verified)
            self.assertEqual(tls.enabled, bool(client & 1))

    def test_malformed(self) -> None:
        """Too short, or with values that reach beyond it: refused."""
        for octets in (b"", b"\x01\0\0\0", struct.pack("!BI", 1, 0) + b"\x21\0\x09x"):
            with self.assertRaises(ProtocolError):
                parse_binary(binary(value(0x20, octets)))
