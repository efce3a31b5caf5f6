"""Tests of C{harakatw.wire.chunks}: BDAT and what follows it (RFC 3030)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ProtocolError
from harakatw.wire.chunks import Chunk, ChunkDecoder, OctetCounter, parse_bdat
from tests.properties import given, st

LONGEST = 78


class ArgumentTests(SynchronousTestCase):
    """What stands after BDAT (RFC 3030 section 2)."""

    def test_good(self) -> None:
        """A size, and maybe that it is the last, in any case."""
        for argument, octets, is_last in (
            (b"0", 0, False),
            (b"86 LAST", 86, True),
            (b"00086  last", 86, True),
            (b"999999999999", 10**12 - 1, False),
        ):
            self.assertEqual(parse_bdat(argument), Chunk(octets, is_last), argument)

    def test_bad(self) -> None:
        """Survey row 3: a size that is none, or absurd, or more than a size."""
        for argument in (
            b"",
            b"LAST",
            b"-1",
            b"+1",
            b"1e3",
            b"0x10",
            b"1_000",
            b"99999999999999999999",
            b"9" * 30,
            b"1 LAST 2",
            b"1LAST",
            b"1 MORE",
            b"1 2",
            "\u0661".encode(),
            b"1\0",
        ):
            error = self.assertRaises(ProtocolError, parse_bdat, argument)
            self.assertEqual(error.reply.encoded[:9], b"501 5.5.4", argument)

    @given(st.binary(max_size=40))
    def test_random(self, argument: bytes) -> None:
        """Whatever comes is a chunk or refused."""
        try:
            self.assertGreaterEqual(parse_bdat(argument).octets, 0)
        except ProtocolError as error:
            self.assertEqual(error.reply.code, 501)


def decoded(
    pieces: list[bytes], *, cut: int = 0, is_binary: bool = False
) -> tuple[bytes, ChunkDecoder]:
    """
    What a decoder makes of a message.

    @param pieces: its chunks.
    @param cut: octets of each read, 0 for all at once.
    """
    decoder = ChunkDecoder(LONGEST, is_binary=is_binary)
    message = b""
    for number, octets in enumerate(pieces, 1):
        decoder.begin(Chunk(len(octets), number == len(pieces)))
        size = cut or len(octets) or 1
        reads = [octets[at : at + size] for at in range(0, len(octets), size)] or [b""]
        reads[-1] += b"BDAT"
        for read in reads:
            piece, rest = decoder.feed(read)
            message += piece
        assert rest == b"BDAT", rest
    assert decoder.has_ended
    return message, decoder


class DecoderTests(SynchronousTestCase):
    """The octets of chunks."""

    def test_size_counts(self) -> None:
        """A chunk ends after its octets; what follows is left alone."""
        decoder = ChunkDecoder(LONGEST, is_binary=False)
        decoder.begin(Chunk(5, False))
        self.assertEqual(decoder.feed(b"ab\r\n.\r\nQUIT\r\n")[1], b"\r\nQUIT\r\n")
        self.assertFalse(decoder.has_ended)
        self.assertEqual(decoder.octets, 5)

    def test_text(self) -> None:
        """A text keeps its octets, dots too, wherever it is cut."""
        text = b"Subject: x\r\n\r\n.\r\n..a\r\n.\r\n"
        for cut in range(5):
            for at in range(len(text)):
                message, decoder = decoded([text[:at], text[at:]], cut=cut)
                self.assertEqual(message, text)
                self.assertFalse(decoder.bare_newline)

    def test_unended_text(self) -> None:
        """A text that does not end in CRLF gets one; an empty message nothing."""
        for pieces in ([b"a"], [b"a", b""], [b"a\r\nb", b""]):
            message, decoder = decoded(pieces)
            self.assertEqual(message, b"".join(pieces) + b"\r\n")
            self.assertFalse(decoder.bare_newline)
        self.assertEqual(decoded([b""])[0], b"")
        self.assertEqual(decoded([b"a\r\n", b""])[0], b"a\r\n")

    def test_bare_newlines(self) -> None:
        """A CR or LF alone is noted, at the end and at the edge of a chunk too."""
        for pieces in (
            [b"a\nb\r\n"],
            [b"a\rb\r\n"],
            [b"a\r", b"b\r\n"],
            [b"a", b"\nb\r\n"],
            [b"a\r", b""],
            [b"a\r"],
            [b"\n"],
        ):
            for cut in (0, 1):
                _, decoder = decoded(pieces, cut=cut)
                self.assertTrue(decoder.bare_newline, pieces)

    def test_binary(self) -> None:
        """Of BINARYMIME nothing is looked at, and nothing changed."""
        octets = bytes(range(256)) + b"\r" * 3 + b"\n" + b"x" * 2 * LONGEST
        for cut in (0, 1, 7):
            message, decoder = decoded(
                [octets[:100], octets[100:]], cut=cut, is_binary=True
            )
            self.assertEqual(message, octets)
            self.assertFalse(decoder.bare_newline)
            self.assertFalse(decoder.long_line)

    def test_long_line(self) -> None:
        """A line that is too long is noted, whatever chunks it comes in."""
        for length, is_long in ((LONGEST, False), (LONGEST + 1, True)):
            line = b"x" * length + b"\r\n"
            for cut in (0, 1):
                _, decoder = decoded([line[:40], line[40:], b"y\r\n"], cut=cut)
                self.assertEqual(decoder.long_line, is_long)

    @given(
        st.lists(st.text("a.\r\n").map(str.encode), min_size=1, max_size=6),
        st.integers(0, 3),
    )
    def test_random(self, pieces: list[bytes], cut: int) -> None:
        """How a message is cut, into chunks or reads, makes no difference."""
        whole, one = decoded([b"".join(pieces)])
        message, other = decoded(pieces, cut=cut)
        self.assertEqual(message, whole)
        self.assertEqual(other.bare_newline, one.bare_newline)


class CounterTests(SynchronousTestCase):
    """Octets that nobody wants."""

    def test_dropped(self) -> None:
        """They are gone up to the last, and no further."""
        counter = OctetCounter(5)
        self.assertIsNone(counter.feed(b"QUI"))
        self.assertIsNone(counter.feed(b"T"))
        self.assertEqual(counter.feed(b"\rNOOP"), b"NOOP")
