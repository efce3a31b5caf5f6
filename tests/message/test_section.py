"""Tests of C{harakatw.message.section}."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.section import Section, find_section
from tests.properties import given, st

MANY = 1 << 20


def split(octets: bytes, limit: int = MANY) -> tuple[bytes, bytes]:
    """The header and the body of a whole message."""
    section = find_section(octets, limit, is_whole=True)
    assert section is not None
    return octets[: section.end], octets[section.body :]


class SectionTests(SynchronousTestCase):
    """Where a header ends and the body begins."""

    def test_blank_line(self) -> None:
        """The first blank line separates the header from the body and is in neither."""
        self.assertEqual(split(b"A: b\r\n\r\nc\r\n\r\n"), (b"A: b\r\n", b"c\r\n\r\n"))

    def test_folded(self) -> None:
        """
        A line that begins with a blank goes on with the field, though it looks odd.
        """
        header = b"Subject: a\r\n  b\r\n\tc: d\r\n \r\nTo: e\r\n"
        self.assertEqual(split(header + b"\r\nbody"), (header, b"body"))

    def test_no_header(self) -> None:
        """A message that begins with a blank line has a body only."""
        self.assertEqual(split(b"\r\nA: b\r\n"), (b"", b"A: b\r\n"))

    def test_no_body(self) -> None:
        """A message may end with its header, with or without a blank line."""
        for octets in (b"A: b\r\nC: d\r\n", b"A: b\r\nC: d\r\n\r\n"):
            self.assertEqual(split(octets), (b"A: b\r\nC: d\r\n", b""))

    def test_empty(self) -> None:
        """An empty message has neither."""
        self.assertEqual(split(b""), (b"", b""))

    def test_missing_separator(self) -> None:
        """
        What cannot be a field begins the body even without a blank line, so that
        nobody behind us reads as header what the filters took for body (row TX16).
        """
        for line in (
            b"Hello there",
            b": no name",
            b"two words: x",
            b"<html>",
            b"\x01:",
        ):
            octets = b"A: b\r\n" + line + b"\r\nC: d\r\n\r\nbody\r\n"
            expected = (b"A: b\r\n", line + b"\r\nC: d\r\n\r\nbody\r\n")
            self.assertEqual(split(octets), expected)

    def test_magic_names(self) -> None:
        """Names that mean something to a program are names like others (row 12)."""
        header = b"__proto__: a\r\n__class__: b\r\nitems: c\r\n-: d\r\n"
        self.assertEqual(split(header + b"\r\n"), (header, b""))

    def test_blank_before_colon(self) -> None:
        """
        The old form with a blank before the colon is a field (RFC 5322 section 4.5).
        """
        self.assertEqual(split(b"Subject : a\r\n\r\n"), (b"Subject : a\r\n", b""))

    def test_utf8_name(self) -> None:
        """A field of an internationalised message is no reason to end its header."""
        header = "Größe: 5\r\n".encode()
        self.assertEqual(split(header + b"\r\nx"), (header, b"x"))

    def test_mailbox_line(self) -> None:
        """
        The line that a mailbox file puts before each message belongs to the header.
        """
        header = b"From x@e.example Mon Jan  1 00:00:00 2024\r\nA: b\r\n"
        self.assertEqual(split(header + b"\r\nc"), (header, b"c"))
        self.assertEqual(split(b"A: b\r\n" + header)[0], b"A: b\r\n")

    def test_leading_blank(self) -> None:
        """A first line that begins with a blank goes on with nothing, so it is body."""
        self.assertEqual(split(b" a: b\r\n"), (b"", b" a: b\r\n"))
        self.assertEqual(split(b" a: b"), (b"", b" a: b"))

    def test_unended_last_line(self) -> None:
        """The last line may lack its end and counts as what it looks like."""
        self.assertEqual(split(b"A: b\r\nC: d"), (b"A: b\r\nC: d", b""))
        self.assertEqual(split(b"A: b\r\n c"), (b"A: b\r\n c", b""))
        self.assertEqual(split(b"A: b\r\nhello"), (b"A: b\r\n", b"hello"))


class LimitTests(SynchronousTestCase):
    """Headers longer than allowed (row 12)."""

    def test_cut_between_fields(self) -> None:
        """No field is cut in two: the header ends before the one that goes too far."""
        octets = b"A: b\r\nC: d\r\n e\r\n f\r\nG: h\r\n\r\n"
        for limits, end in (
            (range(1, 7), 0),  # nobody knows whether the next line goes on with A
            (range(7, 21), 6),
            (range(21, 27), 20),
            (range(27, 28), 26),
        ):
            for limit in limits:
                section = find_section(octets, limit, is_whole=True)
                self.assertEqual(section, Section(end, end, True))
        section = find_section(octets, 28, is_whole=True)
        self.assertEqual(section, Section(26, 28, False))

    def test_one_endless_field(self) -> None:
        """When not even the first field fits there is no header."""
        octets = b"A: " + b"b" * 100
        for part in (octets, octets + b"\r\n\r\n", octets.replace(b"b", b"\r\n ")):
            self.assertEqual(
                find_section(part, 50, is_whole=False), Section(0, 0, True)
            )

    def test_long_first_line_of_body(self) -> None:
        """A long line that is no field is a body, not a header that is too long."""
        octets = b"A: b\r\n" + b"x" * 1100
        section = find_section(octets, 1100, is_whole=False)
        self.assertEqual(section, Section(6, 6, False))
        octets = b"A: b\r\n" + b"two words " * 10
        section = find_section(octets, 50, is_whole=False)
        self.assertEqual(section, Section(6, 6, False))

    def test_just_fits(self) -> None:
        """A header of the greatest length, blank line included, is whole."""
        octets = b"A: b\r\n\r\n"
        self.assertEqual(find_section(octets, 8, is_whole=True), Section(6, 8, False))

    def test_hostile_forms(self) -> None:
        """A megabyte of anything is looked at once, whatever it repeats (row 14)."""
        units = (b"a", b"a:\r\n", b"a: b\r\n", b"a:\r\n\t", b" \r\n", b"From ", b"\n ")
        for unit in units:
            octets = b"a: b\r\n" + unit * (MANY // len(unit))
            section = find_section(octets, MANY, is_whole=True)
            assert section is not None
            self.assertLessEqual(section.end, section.body)
            self.assertLessEqual(section.body, MANY)


class PrefixTests(SynchronousTestCase):
    """
    The header is found as soon as it is there, and does not depend on what follows.
    """

    @given(
        st.lists(
            st.sampled_from(
                [b"A: b", b"\r\n", b"\n", b" c", b"\t", b"hi", b"From ", b"\r", b":"]
            )
        ).map(b"".join),
        st.integers(1, 40),
    )
    def test_same_for_every_prefix(self, octets: bytes, limit: int) -> None:
        """However the network cuts a message, its header is the same."""
        whole = find_section(octets, limit, is_whole=True)
        assert whole is not None
        for at in range(len(octets) + 1):
            found = find_section(octets[:at], limit, is_whole=False)
            if found is not None:
                self.assertEqual(found, whole)

    def test_waits(self) -> None:
        """Nothing is decided before the line that decides is there."""
        octets = b"A: b\r\n\r\nc"
        found = [find_section(octets[:at], MANY, is_whole=False) for at in range(9)]
        self.assertEqual(found, [None] * 8 + [Section(6, 8, False)])
