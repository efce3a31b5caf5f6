"""Tests of C{harakatw.message.mime.decoding} and C{encoding}."""

import base64
import quopri
from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.mime.decoding import MAX_HELD_OCTETS, decode_all, make_decoder
from harakatw.message.mime.encoding import (
    encode_all,
    fitting_encoding,
    make_encoder,
)
from tests.message.specimens import cuts
from tests.properties import given, st

CUTS = st.lists(st.integers(0, 400), max_size=6)
QP_TEXT = st.lists(
    st.sampled_from(
        (
            b"=",
            b"=4",
            b"=41",
            b"=0D",
            b"=0a",
            b" ",
            b"\t",
            b"\r\n",
            b"x",
            b"\xfc",
            b"--",
        )
    ),
    max_size=60,
).map(b"".join)


def decode_in(chunks: list[bytes], encoding: str) -> bytes:
    """Decode content that comes in chunks."""
    decoder = make_decoder(encoding)
    return b"".join(map(decoder.feed, chunks)) + decoder.finish()


def encode_in(chunks: list[bytes], encoding: str) -> bytes:
    """Encode content that comes in chunks."""
    encoder = make_encoder(encoding)
    return b"".join(map(encoder.feed, chunks)) + encoder.finish()


class DecodeTests(SynchronousTestCase):
    """What plugins get to see, however a mailer or a spammer encoded it."""

    def test_base64(self) -> None:
        """Good base64, and base64 with anything wrong that is seen in mail."""
        for octets, expected in (
            (b"aGVsbG8=\r\n", b"hello"),
            (b"aGVs\r\nbG8=", b"hello"),
            (b"a G!V\x80s.bG8", b"hello"),  # foreign characters, no padding
            (b"aGVsbG8=aGVsbG8=", b"hellohello"),  # goes on after padding
            (b"aGVsbG8====\r\n====", b"hello"),
            (b"aGVsb", b"hel"),  # half an octet at the end
            (b"aGVsbA", b"hell"),
            (b"=", b""),
            (b"", b""),
        ):
            for chunks in cuts(octets):
                self.assertEqual(decode_in(chunks, "base64"), expected, chunks)

    def test_quoted_printable(self) -> None:
        """Good quoted-printable, and the other kind."""
        for octets, expected in (
            (b"a=C3=BC=\r\nb\r\nc", b"a\xc3\xbcb\r\nc"),
            (b"a=c3", b"a\xc3"),
            (b"blanks \t\r\nend  ", b"blanks\r\nend"),
            (b"soft = \t\r\nbreak", b"soft break"),
            (b"=3D=zz=", b"==zz"),
            (b"==41", b"=41"),
            (b"hidden=\rtext", b"hidden=\rtext"),
        ):
            for chunks in cuts(octets):
                decoded = decode_in(chunks, "quoted-printable")
                self.assertEqual(decoded, expected, chunks)

    @given(QP_TEXT, CUTS)
    def test_any_cut(self, octets: bytes, places: list[int]) -> None:
        """However the content is cut, it decodes to the same."""
        inside = sorted(place % (len(octets) + 1) for place in places)
        ends = [0, *inside, len(octets)]
        chunks = [octets[a:b] for a, b in pairwise(ends)]
        for encoding in "quoted-printable", "base64", "7bit":
            whole = decode_all(octets, encoding)
            self.assertEqual(decode_in(chunks, encoding), whole)

    def test_long_line(self) -> None:
        """A line without end is decoded as it comes, and little of it is kept."""
        chunks = [b"=41=42 x" * 128] * 1000
        decoder = make_decoder("quoted-printable")
        decoded = 0
        for number, chunk in enumerate(chunks):
            decoded += len(decoder.feed(chunk))
            left = (number + 1) * 512 - decoded
            self.assertLess(left, MAX_HELD_OCTETS)
        self.assertEqual(decode_in(chunks, "quoted-printable"), b"AB x" * 128_000)

    def test_nothing_to_part(self) -> None:
        """A line of blanks or equals signs alone is not kept without end, either."""
        for octet in b" ", b"=", b"\r":
            decoder = make_decoder("quoted-printable")
            for _ in range(100):
                decoder.feed(octet * 10_000)
            self.assertLess(len(decoder.finish()), 2 * MAX_HELD_OCTETS)

    def test_unknown(self) -> None:
        """An encoding that nobody knows leaves the octets as they are."""
        self.assertEqual(decode_all(b"=41", "x-rot13"), b"=41")


class EncodeTests(SynchronousTestCase):
    """What goes out after a plugin changed a part."""

    @given(st.binary(max_size=400), CUTS)
    def test_round_trip(self, octets: bytes, places: list[int]) -> None:
        """What is encoded decodes to the same, in lines short enough for any relay."""
        inside = sorted(place % (len(octets) + 1) for place in places)
        ends = [0, *inside, len(octets)]
        chunks = [octets[a:b] for a, b in pairwise(ends)]
        for encoding, decode in (
            ("base64", base64.b64decode),
            ("quoted-printable", quopri.decodestring),
        ):
            encoded = encode_in(chunks, encoding)
            self.assertEqual(encoded, encode_all(octets, encoding))
            self.assertEqual(decode_all(encoded, encoding), octets)
            self.assertEqual(decode(encoded), octets)
            lines = encoded.split(b"\r\n")
            self.assertLessEqual(max(map(len, lines)), 76)
            self.assertNotRegex(encoded.replace(b"\r\n", b""), rb"[\r\n]")
            self.assertTrue(encoded.isascii())

    def test_long_line(self) -> None:
        """Text without line ends gets soft ones."""
        text = b"x" * 20_000 + b"\xc3\xbc" * 10_000
        encoded = encode_in([text[:7], text[7:]], "quoted-printable")
        self.assertLessEqual(max(map(len, encoded.split(b"\r\n"))), 76)
        self.assertEqual(decode_all(encoded, "quoted-printable"), text)

    def test_fitting(self) -> None:
        """A part keeps its encoding unless its new content cannot be sent so."""
        for octets, before, after in (
            (b"a\r\nb", "7bit", "7bit"),
            (b"\xc3\xbc", "7bit", "quoted-printable"),
            (b"\xc3\xbc", "8bit", "8bit"),
            (b"\xc3\xbc", "base64", "base64"),
            (b"x" * 998 + b"\r\n", "8bit", "8bit"),
            (b"x" * 999, "8bit", "quoted-printable"),
            (b"a\nb", "7bit", "base64"),
            (b"a\rb", "quoted-printable", "quoted-printable"),
            (b"\0", "8bit", "base64"),
            (b"", "7bit", "7bit"),
        ):
            self.assertEqual(fitting_encoding(octets, before), after, octets[:9])
