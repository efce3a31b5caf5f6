"""Replies: whatever text they are made of, they keep the grammar of RFC 5321."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.reply import MAX_LINE_OCTETS, MAX_LINES, Reply, reply
from tests.abuse.inputs import HOSTILE_TEXTS
from tests.abuse.test_row_11_reply_text import malformed
from tests.properties import given, st


class ReplyTests(SynchronousTestCase):
    """How a reply is written."""

    def test_one_line(self) -> None:
        """Code, enhanced code, text, CRLF."""
        self.assertEqual(reply(550, "5.7.1", "no").encoded, b"550 5.7.1 no\r\n")

    def test_several_lines(self) -> None:
        """Each line has both codes, the last a blank after the first (4.2.1)."""
        encoded = reply(550, "5.7.1", ["no", "never", "go"]).encoded
        self.assertEqual(
            encoded, b"550-5.7.1 no\r\n550-5.7.1 never\r\n550 5.7.1 go\r\n"
        )

    def test_without_enhanced(self) -> None:
        """Greetings and answers to EHLO have no enhanced code (RFC 2034 section 4)."""
        self.assertEqual(reply(220, "", "hi").encoded, b"220 hi\r\n")

    def test_text(self) -> None:
        """The text is the lines in one, without codes."""
        self.assertEqual(reply(250, "2.0.0", "a\r\nb").text, "a b")

    def test_permanent(self) -> None:
        """5xx is permanent, all else is not."""
        codes = (250, 354, 421, 450, 500, 599)
        answers = [reply(code, "", "x").is_permanent for code in codes]
        self.assertEqual(answers, [False] * 4 + [True] * 2)

    def test_equal(self) -> None:
        """Two replies that read the same are the same."""
        self.assertEqual(reply(250, "2.0.0", "a"), Reply(250, "2.0.0", ("a",)))

    def test_bad_codes(self) -> None:
        """A code that is none, or two that do not go together, is a mistake of ours."""
        for code, enhanced in (
            (199, ""),
            (600, ""),
            (0, ""),
            (550, "4.7.1"),
            (250, "5.0.0"),
            (550, "5.7"),
            (550, "5.7.1 "),
            (550, "5.7.1000"),
            (354, "3.0.0"),
        ):
            self.assertRaises(ValueError, reply, code, enhanced, "x")


class HostileTextTests(SynchronousTestCase):
    """Row 11: texts that somebody else wrote."""

    def test_own_status(self) -> None:
        """
        An enhanced code in front of the text is the reply's, if nobody gave another
        and its class fits; it never stands there twice, or bare.
        """
        for enhanced, text, line in (
            ("", "5.7.2 no", "550 5.7.2 no"),
            ("5.7.1", "5.7.2 no", "550 5.7.1 no"),
            ("", "4.7.2 no", "550 no"),
            ("", "2.0.0", "550 Refused"),
            ("", "5.7.2", "550 5.7.2 Refused"),
            ("", "  5.7.2   no", "550 5.7.2 no"),
            ("", "5.7.2 5.7.3 no", "550 5.7.2 no"),
            ("", "5.7.2no", "550 5.7.2no"),
            ("", "1.2.3.4 is listed", "550 1.2.3.4 is listed"),
        ):
            said = reply(550, enhanced, text).encoded.decode()
            self.assertEqual(said, line + "\r\n", text)

    def test_no_text(self) -> None:
        """Text is never missing: each class has its word."""
        for code, word in ((250, "OK"), (354, "Go ahead"), (450, "Try again later")):
            for text in ("", " ", "\r\n\r\n", [], ["", " "]):
                self.assertEqual(reply(code, "", text).lines, (word,))

    def test_line_ends(self) -> None:
        """CR, LF and CRLF begin another line; what else Python knows does not."""
        self.assertEqual(reply(550, "", "a\r\nb\rc\nd").lines, ("a", "b", "c", "d"))
        self.assertEqual(reply(550, "", "a\x0bb\x85c\u2028d").lines, ("a?b?c?d",))

    def test_blank_lines(self) -> None:
        """Blank lines are left out: a text file ends in one, a reply does not."""
        self.assertEqual(reply(550, "", "a\r\n\r\nb\r\n").lines, ("a", "b"))

    def test_folded(self) -> None:
        """A long line is folded at blanks, and nothing of it is lost."""
        text = " ".join(["word"] * 300)
        answer = reply(550, "5.7.1", text)
        self.assertEqual(answer.text, text)
        self.assertGreater(len(answer.lines), 1)

    def test_folded_without_blanks(self) -> None:
        """One endless word is cut where it must be."""
        answer = reply(550, "5.7.1", "x" * 2000)
        self.assertEqual("".join(answer.lines), "x" * 2000)

    def test_endless(self) -> None:
        """A reply has a hundred lines at the most."""
        for text in ("x" * 10**6, "x\n" * 10**4, ["x"] * 10**4):
            self.assertEqual(len(reply(550, "", text).lines), MAX_LINES)

    def test_hostile(self) -> None:
        """Each of the hostile texts makes one clean reply."""
        for text in HOSTILE_TEXTS:
            for code in (250, 354, 450, 550):
                self.assertEqual(malformed(reply(code, "", text).encoded.decode()), [])

    @given(
        st.sampled_from([220, 250, 354, 421, 550]),
        st.one_of(st.text(), st.lists(st.text())),
    )
    def test_random(self, code: int, text: str | list[str]) -> None:
        """Random text makes one clean reply."""
        encoded = reply(code, "", text).encoded
        self.assertEqual(malformed(encoded.decode("ascii")), [])
        lines = encoded.split(b"\r\n")[:-1]
        self.assertEqual({line[3:4] for line in lines[:-1]} - {b"-"}, set())
        self.assertEqual(lines[-1][:4], b"%d " % code)
        self.assertLessEqual(max(map(len, lines)) + 2, MAX_LINE_OCTETS)
