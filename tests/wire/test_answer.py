"""Cutting the replies of a server from its stream."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from harakatw.wire.answer import (
    MAX_KEPT_OCTETS,
    MAX_LINE_OCTETS,
    MAX_LINES,
    MAX_UNENDED_OCTETS,
    Answer,
    AnswerReader,
    PeerError,
    our_answer,
)

Read = tuple[list[Answer], str]


def read(pieces: Iterable[bytes]) -> Read:
    """All replies in a stream that comes in pieces, and the error it ended with."""
    reader = AnswerReader()
    answers: list[Answer] = []
    try:
        for piece in pieces:
            reader.feed(piece)
            while (answer := reader.take()) is not None:
                answers.append(answer)
    except PeerError as error:
        return answers, str(error)
    return answers, ""


def octet_by_octet(stream: bytes) -> Read:
    """The same, one octet at a time."""
    return read(stream[at : at + 1] for at in range(len(stream)))


STREAMS = (
    b"220 mx.example ESMTP\r\n",
    b"250-mx.example\r\n250-SIZE 10\r\n250 HELP\r\n354 go on\r\n",
    b"250\r\n250-\r\n250 \r\n",
    b"250 a\n250-b\n250 c\n",
    b"250 one\r\n421 two\r\nGET / HTTP/1.1\r\n250 three\r\n",
    b"250-x\r\n550 y\r\n",
    b"250 \xc3\xa4 \xff \x00 \x1b[2J\rX\r\n",
)


class ReaderTests(SynchronousTestCase):
    """What is one reply."""

    def test_one_line(self) -> None:
        """A reply of one line has a code and a text."""
        self.assertEqual(read([b"220 hello\r\n"]), ([Answer(220, (b"hello",))], ""))

    def test_several_lines(self) -> None:
        """A reply ends with the line that has no hyphen after its code."""
        answers, error = read([b"250-mx\r\n250-SIZE\r\n250 HELP\r\n250 x\r\n"])
        self.assertEqual(error, "")
        self.assertEqual(
            answers, [Answer(250, (b"mx", b"SIZE", b"HELP")), Answer(250, (b"x",))]
        )

    def test_bare_code(self) -> None:
        """
        A code without a text is a reply (RFC 5321 section 4.2).
        """
        self.assertEqual(read([b"250\r\n"]), ([Answer(250, (b"",))], ""))

    def test_line_feed_only(self) -> None:
        """A server that ends its lines in LF is understood."""
        self.assertEqual(read([b"250-a\n250 b\n"]), ([Answer(250, (b"a", b"b"))], ""))

    def test_every_cut(self) -> None:
        """What a reply is does not depend on how the network cuts it."""
        for stream in STREAMS:
            whole = read([stream])
            self.assertEqual(octet_by_octet(stream), whole)
            for at in range(len(stream)):
                self.assertEqual(read([stream[:at], stream[at:]]), whole, stream)

    def test_is_empty(self) -> None:
        """One can tell whether a server has said more than was asked (survey row 6)."""
        for more in (b"2", b"250-x\r\n", b"250 x\r\n", b"x" * 3000):
            reader = AnswerReader()
            reader.feed(b"220 go\r\n" + more)
            self.assertEqual(reader.take(), Answer(220, (b"go",)))
            if not more.endswith(b" x\r\n"):
                self.assertIsNone(reader.take())
            self.assertFalse(reader.is_empty, more)

    def test_is_empty_at_last(self) -> None:
        """When all is taken there is nothing more."""
        reader = AnswerReader()
        self.assertTrue(reader.is_empty)
        reader.feed(b"250-x\r\n250 y\r\n")
        reader.take()
        self.assertTrue(reader.is_empty)


class HostileTests(SynchronousTestCase):
    """Servers that mean no good (survey row 37)."""

    def test_junk(self) -> None:
        """What is no reply ends the session."""
        for junk in (
            b"",
            b"25",
            b"hello",
            b"150 x",
            b"600 x",
            b"250x",
            b"250_x",
            b" 1",
        ):
            answers, error = read([junk + b"\r\n"])
            self.assertEqual(answers, [], junk)
            self.assertIn("no reply", error)

    def test_junk_is_shown_short(self) -> None:
        """The log gets the beginning of the junk, with control characters escaped."""
        _, error = read([b"\x1b[2J" + b"x" * 2000 + b"\r\n"])
        self.assertTrue(error.isprintable())
        self.assertLess(len(error), 120)

    def test_mixed_codes(self) -> None:
        """A reply with two codes means neither."""
        for stream in (b"250-x\r\n550 y\r\n", b"250-x\r\n250-y\r\n354 z\r\n"):
            answers, error = read([stream])
            self.assertEqual(answers, [])
            self.assertIn("codes 250 and", error)

    def test_most_lines(self) -> None:
        """A reply may be long, but not as long as its sender likes."""
        line = b"250-x\r\n"
        answers, error = read([line * (MAX_LINES - 1) + b"250 x\r\n"])
        self.assertEqual((len(answers[0].raw), error), (MAX_LINES, ""))
        _, error = read([b"220-x\r\n" * 10_000])
        self.assertIn("512 lines", error)

    def test_long_line(self) -> None:
        """Of a long line the beginning is kept, and the session goes on."""
        for size in (MAX_LINE_OCTETS - 1, MAX_LINE_OCTETS, MAX_LINE_OCTETS + 1, 60_000):
            stream = b"250 " + b"x" * (size - 4) + b"\r\n250 next\r\n"
            kept = b"x" * (min(size, MAX_LINE_OCTETS) - 4)
            expected = ([Answer(250, (kept,)), Answer(250, (b"next",))], "")
            self.assertEqual(read([stream]), expected)
            cuts = (1, size - 1, size, size + 1, size + 2)
            for at in cuts:
                self.assertEqual(read([stream[:at], stream[at:]]), expected)

    def test_endless_line(self) -> None:
        """A line of a megabyte ends the session, and was never all in memory."""
        reader = AnswerReader()
        with self.assertRaises(PeerError):
            for _ in range(1024):
                reader.feed(b"250 " + b"x" * 1020)
                self.assertIsNone(reader.take())
                self.assertLess(len(reader._buffer), 4 * MAX_LINE_OCTETS)
        _, error = read([b"250 " + b"x" * MAX_UNENDED_OCTETS + b"\r\n"])
        self.assertIn("octets", error)

    def test_much_text(self) -> None:
        """Of many long lines no more is kept than anybody would read."""
        line = b"550-" + b"x" * 2000 + b"\r\n"
        answers, error = read([line * 500, b"550 end\r\n"])
        self.assertEqual((error, answers[0].code), ("", 550))
        self.assertLess(sum(map(len, answers[0].raw)), MAX_KEPT_OCTETS)

    @settings(derandomize=True, max_examples=150, deadline=None)
    @given(
        st.lists(
            st.sampled_from([b"250", b"-", b" ", b"\r", b"\n", b"x", b"\xff", b"554 "]),
            max_size=40,
        ),
        st.integers(0, 100),
    )
    def test_any_octets(self, parts: list[bytes], at: int) -> None:
        """Whatever comes is replies or an error, the same however it is cut."""
        stream = b"".join(parts)
        self.assertEqual(read([stream[:at], stream[at:]]), read([stream]))


class AnswerTests(SynchronousTestCase):
    """What others may see of a reply (survey row 11)."""

    def test_enhanced(self) -> None:
        """The enhanced status code is told from the text, once for all lines."""
        clean = Answer(550, (b"5.1.1 unknown", b"5.1.1 user")).reply
        self.assertEqual(clean.enhanced, "5.1.1")
        self.assertEqual(clean.text, "unknown user")

    def test_wrong_class(self) -> None:
        """An enhanced code that contradicts the code does not count."""
        self.assertEqual(Answer(450, (b"5.1.1 x",)).reply.enhanced, "")

    def test_hostile_text(self) -> None:
        """No control character, escape sequence or foreign octet gets into a log."""
        clean = Answer(550, (b"\x1b[2J\x00\rhi\xff", b"", b"5.7.1")).reply
        self.assertTrue(clean.text.isprintable() and clean.text.isascii())
        self.assertEqual(clean.code, 550)

    def test_empty(self) -> None:
        """A reply without a text gets one."""
        self.assertEqual(Answer(554, (b"",)).reply.text, "Refused")

    def test_ours(self) -> None:
        """What we say for a silent server looks like a reply, and is marked."""
        answer = our_answer(451, "4.4.2", "gone\u2026")
        self.assertTrue(answer.is_ours)
        self.assertEqual((answer.reply.enhanced, answer.reply.text), ("4.4.2", "gone?"))
