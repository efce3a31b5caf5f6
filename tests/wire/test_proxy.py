"""The header with which a proxy says whose connection it passes on."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ProtocolError
from harakatw.wire.proxy import MAX_LINE_OCTETS, ProxyHeaderReader, parse_line
from harakatw.wire.proxy_header import ProxyHeader
from harakatw.wire.proxy_v2 import SIGNATURE
from tests.properties import given, st
from tests.proxy_headers import LOCAL, TCP4, TCP6, UNKNOWN, binary, value, with_checksum

CLIENT = ProxyHeader(1, "TCP4", "198.51.100.7", 56324, "192.0.2.25", 25)

_WHOLE = (TCP4, TCP6, UNKNOWN, LOCAL, binary(), with_checksum(value(2, b"a.example")))


def read(*pieces: bytes) -> tuple[ProxyHeader | None, bytes]:
    """Feed pieces until there is a header; return it and what came behind it."""
    reader = ProxyHeaderReader()
    header = None
    for number, piece in enumerate(pieces):
        header = reader.feed(piece)
        if header is not None:
            return header, reader.rest + b"".join(pieces[number + 1 :])
    return header, reader.rest


class LineTests(SynchronousTestCase):
    """Version 1: a line of text."""

    def test_families(self) -> None:
        """IPv4 and IPv6; an address is written as the rest of the server writes it."""
        self.assertEqual(parse_line(TCP4), CLIENT)
        self.assertEqual(
            parse_line(b"PROXY TCP6 2001:DB8:0:0::7 ::1 1 2\r\n"),
            ProxyHeader(1, "TCP6", "2001:db8::7", 1, "::1", 2),
        )

    def test_mapped(self) -> None:
        """IPv4 in the clothes of IPv6 is IPv4: allow lists mean the same client."""
        header = parse_line(b"PROXY TCP6 ::ffff:198.51.100.7 ::ffff:192.0.2.25 1 2\r\n")
        self.assertEqual(header.source, "198.51.100.7")
        self.assertEqual(header.destination, "192.0.2.25")

    def test_unknown(self) -> None:
        """Whatever stands behind UNKNOWN is not looked at, and names nobody."""
        for rest in (b"", b" ", b" 1.2.3.4 5.6.7.8 1 2", b" \x1b[2J \xff"):
            header = parse_line(b"PROXY UNKNOWN" + rest + b"\r\n")
            self.assertEqual(header, ProxyHeader(1, "UNKNOWN"))
            self.assertFalse(header.has_addresses)

    def test_refused(self) -> None:
        """Anything that can be read in two ways, or in none, is refused."""
        for line in (
            b"",
            b"PROXY\r\n",
            b"PROXY \r\n",
            b"PROXY TCP4\r\n",
            b"proxy TCP4 198.51.100.7 192.0.2.25 1 2\r\n",
            b"PROXY tcp4 198.51.100.7 192.0.2.25 1 2\r\n",
            b"PROXY TCP4 198.51.100.7 192.0.2.25 1 2\n",
            b"PROXY TCP4 198.51.100.7 192.0.2.25 1 2 \r\n",
            b"PROXY TCP4  198.51.100.7 192.0.2.25 1 2\r\n",
            b"PROXY TCP4 198.51.100.7 192.0.2.25 1\r\n",
            b"PROXY TCP4 198.51.100.7 192.0.2.25 1 2 3\r\n",
            b"PROXY TCP4 198.51.100.7 192.0.2.25 1 65536\r\n",
            b"PROXY TCP4 198.51.100.7 192.0.2.25 1 -2\r\n",
            b"PROXY TCP4 198.51.100.7 192.0.2.25 01 2\r\n",
            b"PROXY TCP4 198.51.100.7 192.0.2.25 1 \xd9\xa1\r\n",
            b"PROXY TCP4 198.051.100.7 192.0.2.25 1 2\r\n",
            b"PROXY TCP4 198.51.100 192.0.2.25 1 2\r\n",
            b"PROXY TCP4 2001:db8::7 2001:db8::25 1 2\r\n",
            b"PROXY TCP6 198.51.100.7 192.0.2.25 1 2\r\n",
            b"PROXY TCP6 fe80::1%eth0 2001:db8::25 1 2\r\n",
            b"PROXY UDP4 198.51.100.7 192.0.2.25 1 2\r\n",
        ):
            with self.assertRaises(ProtocolError, msg=line) as caught:
                parse_line(line)
            self.assertEqual(caught.exception.reply.code, 421)


class ReaderTests(SynchronousTestCase):
    """Taking the header off a stream."""

    def test_every_cut(self) -> None:
        """Headers of both versions may come in two pieces, cut anywhere."""
        for octets in _WHOLE:
            stream = octets + b"EHLO a.example\r\n"
            whole = read(stream)
            self.assertIsNotNone(whole[0])
            self.assertEqual(whole[1], b"EHLO a.example\r\n")
            for at in range(len(stream) + 1):
                self.assertEqual(read(stream[:at], stream[at:]), whole, at)

    def test_octet_by_octet(self) -> None:
        """Or in as many pieces as they have octets."""
        for octets in _WHOLE:
            pieces = [octets[at : at + 1] for at in range(len(octets))]
            self.assertEqual(read(*pieces), read(octets))

    def test_not_a_header(self) -> None:
        """
        What cannot become a header is refused at the first octet that shows it: a
        client that speaks SMTP or TLS is not waited for.
        """
        for octets in (
            b"E",
            b"PROXz",
            b"PROXY\t",
            b"\x16\x03\x01",
            b"\r\n\r\nE",
            SIGNATURE[:-1] + b"\r",
            SIGNATURE + b"\x11\x11\0\0",
            SIGNATURE + b"\x22\x11\0\x0c",
            SIGNATURE + b"\x21\x41\0\x0c",
            SIGNATURE + b"\x21\x13\0\x0c",
        ):
            with self.assertRaises(ProtocolError, msg=octets):
                ProxyHeaderReader().feed(octets)

    def test_line_length(self) -> None:
        """A line has 107 octets at most; it is not gathered any longer."""
        longest = b"PROXY UNKNOWN " + b"x" * (MAX_LINE_OCTETS - 16)
        self.assertEqual(read(longest + b"\r\n")[0], ProxyHeader(1, "UNKNOWN"))
        reader = ProxyHeaderReader()
        self.assertIsNone(reader.feed(longest))
        with self.assertRaises(ProtocolError):
            reader.feed(b"xx")

    def test_longest_binary(self) -> None:
        """Row 33: 65,535 octets behind the head are read to the last."""
        padding = 65535 - 12 - 3
        octets = binary(value(4, bytes(padding)))
        self.assertEqual(len(octets), 16 + 65535)
        reader = ProxyHeaderReader()
        self.assertIsNone(reader.feed(octets[:-1]))
        header = reader.feed(octets[-1:] + b"rest")
        self.assertEqual(header and header.source, "198.51.100.7")
        self.assertEqual(reader.rest, b"rest")

    @given(st.binary(max_size=300), st.sampled_from((b"", b"PROXY ", SIGNATURE)))
    def test_random(self, octets: bytes, begin: bytes) -> None:
        """Random octets are a header, part of one, or refused; nothing else."""
        try:
            header = ProxyHeaderReader().feed(begin + octets)
        except ProtocolError as error:
            self.assertEqual(error.reply.code, 421)
        else:
            self.assertIsInstance(header, ProxyHeader | None)

    @given(st.sampled_from(_WHOLE), st.integers(0, 90), st.integers(0, 255))
    def test_damaged(self, octets: bytes, at: int, octet: int) -> None:
        """A header with one octet changed is read or refused; nothing else."""
        changed = bytearray(octets)
        changed[at % len(changed)] = octet
        try:
            ProxyHeaderReader().feed(bytes(changed))
        except ProtocolError as error:
            self.assertEqual(error.reply.code, 421)
