"""Cutting what a client sends into commands (RFC 5321 section 2.3.8)."""

from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ProtocolError
from harakatw.wire.command import (
    BARE_NEWLINE,
    LINE_TOO_LONG,
    CommandStream,
    split_command,
)
from tests.properties import given, st

Outcome = bytes | str


def outcomes(*pieces: bytes, max_line_octets: int = 32) -> list[Outcome]:
    """
    All lines of a stream that comes in these pieces.

    @return: a line, or the text of the reply to one that is refused.
    """
    stream = CommandStream(max_line_octets)
    found: list[Outcome] = []
    for piece in pieces:
        stream.feed(piece)
        while True:
            try:
                line = stream.take_line()
            except ProtocolError as error:
                found.append(error.reply.text)
                continue
            if line is None:
                break
            found.append(line)
    return found


def expected(stream: bytes, max_line_octets: int) -> list[Outcome]:
    """The same, read off the whole stream line by line."""
    found: list[Outcome] = []
    for line in stream.split(b"\n")[:-1]:
        if len(line) + 1 > max_line_octets:
            found.append(LINE_TOO_LONG.text)
        elif not line.endswith(b"\r") or b"\r" in line[:-1]:
            found.append(BARE_NEWLINE.text)
        else:
            found.append(line[:-1])
    return found


STREAMS = (
    b"NOOP\r\n",
    b"NOOP\r\nQUIT\r\n",
    b"\r\n\r\n",
    b"NOOP\nQUIT\r\n",
    b"NO\rOP\r\nQUIT\r\n",
    b"NOOP\r\r\n",
    b"a" * 40 + b"\r\nQUIT\r\n",
    b"a" * 30 + b"\r\n" + b"a" * 31 + b"\r\n",
    b"a" * 40 + b"\rb\r\n" + b"c\n",
    b"\n\r\n\r",
    b"no end",
)


class CommandStreamTests(SynchronousTestCase):
    """Lines come out one by one, however they came in."""

    def test_whole(self) -> None:
        """A stream in one piece."""
        for stream in STREAMS:
            self.assertEqual(outcomes(stream), expected(stream, 32), stream)

    def test_cut_anywhere(self) -> None:
        """Cut at every place, and at every two: the same lines and the same errors."""
        for stream in STREAMS:
            wanted = expected(stream, 32)
            for first in range(len(stream) + 1):
                for second in range(first, len(stream) + 1):
                    pieces = stream[:first], stream[first:second], stream[second:]
                    found = outcomes(*(piece for piece in pieces if piece))
                    self.assertEqual(found, wanted, pieces)

    @given(
        st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"ab" * 6, b"\0"])),
        st.lists(st.integers(0, 60)),
    )
    def test_random(self, parts: list[bytes], places: list[int]) -> None:
        """Random streams, cut at random places."""
        stream = b"".join(parts)
        bounds = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
        pieces = [stream[a:b] for a, b in pairwise(bounds)]
        found = outcomes(*(piece for piece in pieces if piece), max_line_octets=16)
        self.assertEqual(found, expected(stream, 16))

    def test_nothing_lost(self) -> None:
        """What was not taken as lines can be taken at once: the message after DATA."""
        stream = CommandStream(32)
        stream.feed(b"DATA\r\nSubject: x\r\n\r\n")
        self.assertEqual(stream.take_line(), b"DATA")
        self.assertTrue(stream.pending)
        self.assertEqual(stream.take_all(), b"Subject: x\r\n\r\n")
        self.assertFalse(stream.pending)
        self.assertEqual(stream.take_all(), b"")

    def test_pending(self) -> None:
        """Half a line is pending; after the last line nothing is."""
        stream = CommandStream(32)
        self.assertFalse(stream.pending)
        stream.feed(b"NOOP\r")
        self.assertIsNone(stream.take_line())
        self.assertTrue(stream.pending)
        stream.feed(b"\n")
        stream.take_line()
        self.assertFalse(stream.pending)

    def test_bounded(self) -> None:
        """Of an endless line no more than the limit and one read is kept."""
        stream = CommandStream(32)
        for _ in range(1000):
            stream.feed(b"a" * 100)
            self.assertIsNone(stream.take_line())
            self.assertEqual(stream.take_all(), b"")

    def test_many_lines(self) -> None:
        """A big read of small lines is cut without copying the rest for each."""
        stream = CommandStream(512)
        stream.feed(b"NOOP\r\n" * 100_000)
        lines = 0
        while stream.take_line() is not None:
            lines += 1
        self.assertEqual(lines, 100_000)


class SplitTests(SynchronousTestCase):
    """Verb and argument."""

    def test_split(self) -> None:
        """The verb in upper case; the argument without blanks around it."""
        for line, verb, argument in (
            (b"noop", b"NOOP", b""),
            (b"MAIL FROM:<a@b>", b"MAIL", b"FROM:<a@b>"),
            (b"mail  from:<a@b> \t", b"MAIL", b"from:<a@b>"),
            (b"", b"", b""),
            (b" NOOP", b"", b"NOOP"),
            (b"HELO a b", b"HELO", b"a b"),
            (b"QUIT\t", b"QUIT\t", b""),
            (b"\xffx", b"\xffX", b""),
        ):
            self.assertEqual(split_command(line), (verb, argument), line)
