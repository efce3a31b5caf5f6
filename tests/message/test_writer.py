"""Tests of C{harakatw.message.writer}."""

import re

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.writer import converted_chunks, crlf_chunks, stuffed_chunks
from tests.message.specimens import DOTTED, SIMPLE, cuts
from tests.properties import given, st

BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")

SMUGGLED = (
    b"\r.\n",
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\n.\r",
    b"\r\n.\r",
    b"\r\n\x00.\r\n",
    b"\r\n.\x00\r\n",
    b"\r\r\n.\r\r\n",
    b"\r\n.\r\r\n",
)
"""Ends of a message for one server and not for another (survey rows 1 and 2)."""

PIECES = st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"a"])


def stuffed_by_line(octets: bytes) -> bytes:
    """What dot-stuffing should make of a message, in the plainest way."""
    lines = re.split(rb"\r\n|\r|\n", octets)
    if lines[-1] == b"":
        del lines[-1]
    return b"".join(
        (b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines
    )


class StuffingTests(SynchronousTestCase):
    """The message on the wire."""

    def test_every_cut(self) -> None:
        """Dots are doubled wherever the chunks are cut."""
        for octets in (SIMPLE, DOTTED, b"a\r\n.", b"."):
            for chunks in cuts(octets):
                sent = b"".join(stuffed_chunks(chunks))
                self.assertEqual(sent, stuffed_by_line(octets))

    def test_final_line_end(self) -> None:
        """A message that does not end in CRLF gets one, or its last line ends it."""
        for octets in (b"a", b"a\r", b"a\n", b"a\r\n"):
            self.assertEqual(b"".join(stuffed_chunks([octets])), b"a\r\n")
        self.assertEqual(list(stuffed_chunks([])), [])
        self.assertEqual(list(stuffed_chunks([b""])), [])

    def test_smuggling(self) -> None:
        """
        No sequence that some server takes for the end of a message leaves us, though a
        plugin put it there (survey row 2).
        """
        for trick in SMUGGLED:
            octets = b"A: b\r\n\r\nbody" + trick + b"MAIL FROM:<e@x.example>\r\n"
            for chunks in cuts(octets):
                sent = b"".join(stuffed_chunks(chunks))
                self.assertIsNone(BARE.search(sent))
                self.assertNotIn(b"\r\n.\r\n", sent)

    @given(st.lists(st.lists(PIECES, max_size=8).map(b"".join), max_size=5))
    def test_any_chunks(self, chunks: list[bytes]) -> None:
        """Whatever the chunks, the wire holds the same as if there were one."""
        sent = b"".join(stuffed_chunks(chunks))
        self.assertEqual(sent, stuffed_by_line(b"".join(chunks)))

    def test_not_copied(self) -> None:
        """A clean chunk goes out as the very object that came in."""
        chunk = b"no dot begins a line\r\n" * 1000
        self.assertIs(next(stuffed_chunks([chunk])), chunk)


class LineEndTests(SynchronousTestCase):
    """The message in a file."""

    def test_unix(self) -> None:
        """
        For a mail store on Unix each CRLF becomes LF, wherever the chunks are cut.
        """
        for chunks in cuts(SIMPLE):
            written = b"".join(converted_chunks(chunks, b"\n"))
            self.assertEqual(written, SIMPLE.replace(b"\r\n", b"\n"))

    def test_as_is(self) -> None:
        """Otherwise a clean message is written as it came."""
        for chunks in cuts(SIMPLE):
            self.assertEqual(b"".join(converted_chunks(chunks, b"\r\n")), SIMPLE)

    def test_chunks_are_whole(self) -> None:
        """No chunk is empty or ends amid a CRLF, so that each can be changed alone."""
        for chunks in cuts(SIMPLE + b"\r\r\n\n"):
            for chunk in crlf_chunks(chunks):
                self.assertNotEqual(chunk, b"")
                self.assertIsNone(BARE.search(chunk))
