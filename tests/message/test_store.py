"""Tests of C{harakatw.message.store}."""

import io
import os
from tempfile import gettempdir
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.message import store
from harakatw.message.section import Section, find_section
from harakatw.message.spool import open_spool_file
from tests.message.specimens import (
    BODY,
    DOTTED,
    HEADER,
    SIMPLE,
    SMALL,
    cuts,
    foreign_messages,
    make_message,
    octets_of,
    whole_message,
)
from tests.properties import given, settings, st


class WholeTests(SynchronousTestCase):
    """A message in memory."""

    def test_every_cut(self) -> None:
        """However the network cuts a message, it is the same."""
        for octets in (SIMPLE, SMALL):
            for chunks in cuts(octets):
                message = whole_message(*chunks)
                self.assertEqual(octets_of(message), octets)
                self.assertEqual(message.size, len(octets))
                self.assertEqual(
                    message.raw_header, octets[: octets.index(b"\r\n\r\n") + 2]
                )

    def test_missing_separator(self) -> None:
        """A message without a blank line gets one where its body begins (row TX16)."""
        octets = b"A: b\r\nHello.\r\nC: d\r\n"
        for chunks in cuts(octets):
            message = whole_message(*chunks)
            self.assertEqual(octets_of(message), b"A: b\r\n\r\nHello.\r\nC: d\r\n")
            self.assertEqual(message.header.names(), ["A"])

    def test_empty(self) -> None:
        """An empty message can be had; it goes out as a blank line."""
        message = whole_message()
        self.assertEqual(octets_of(message), b"\r\n")
        self.assertEqual(message.header.names(), [])
        self.assertEqual(message.received_count, 0)

    def test_body_only(self) -> None:
        """A message without a header keeps its body."""
        for chunks in cuts(DOTTED):
            message = whole_message(*chunks)
            self.assertEqual(octets_of(message), DOTTED)
            self.assertEqual(b"".join(message.body_chunks()), DOTTED[2:])

    def test_edited(self) -> None:
        """What goes out has the header as plugins left it and the body as it came."""
        message = whole_message(SMALL)
        message.header.add_raw_leading(b"Received: me\r\n")
        message.header.remove("a")
        expected = b"Received: me\r\nReceived: x\r\n\r\n"
        self.assertEqual(octets_of(message), expected + BODY)
        self.assertEqual(message.raw_header, HEADER)
        skipped = message.chunks(skip_header=True)
        self.assertEqual(b"".join(skipped), BODY)

    def test_added_early(self) -> None:
        """Fields that plugins add before DATA stand around those that come with it."""
        for chunks in cuts(SMALL):
            message = make_message()
            header = message.header
            header.add("X", "1")
            header.add_end("Y", "2")
            for chunk in chunks:
                message.append(chunk)
            message.finish()
            self.assertEqual(header.names(), ["X", "A", "Received", "Y"])
            self.assertIs(message.header, header)
            self.assertEqual(bytes(header), b"X: 1\r\n" + HEADER + b"Y: 2\r\n")

    def test_header_while_arriving(self) -> None:
        """The header can be read as soon as it is there; before it is empty."""
        message = make_message(SMALL[:10])
        self.assertEqual(message.header.names(), [])
        self.assertEqual(message.raw_header, b"")
        message.append(SMALL[10:])
        self.assertEqual(message.header.get("a"), "b")

    def test_received_count(self) -> None:
        """
        Trace fields are counted in any case, only in the header, only by full name.
        """
        raw = b"RECEIVED: a\r\nX-Received: b\r\nreceived: c\r\n\tReceived: d\r\n"
        message = whole_message(raw + b"\r\nReceived: e")
        self.assertEqual(message.received_count, 2)

    def test_order_of_calls(self) -> None:
        """A message is not read before it is whole, and takes nothing after."""
        message = make_message(SMALL)
        self.assertRaises(StoreError, message.chunks)
        message.finish()
        message.finish()
        self.assertRaises(ValueError, message.append, b"x")

    def test_wire(self) -> None:
        """Dots are doubled on the wire, the last line is ended."""
        message = whole_message(b"A: b\r\n\r\n.", b"c\r\n.")
        sent = b"".join(message.wire_chunks())
        self.assertEqual(sent, b"A: b\r\n\r\n..c\r\n..\r\n")

    def test_write_to(self) -> None:
        """A mail store gets the line ends that it asks for."""
        for line_end in (b"\r\n", b"\n"):
            file = io.BytesIO()
            written = whole_message(SMALL).write_to(file, line_end=line_end)
            self.assertEqual(file.getvalue(), SMALL.replace(b"\r\n", line_end))
            self.assertEqual(written, len(file.getvalue()))

    def test_destroyed(self) -> None:
        """A message that was given up takes no memory, and only counts what comes."""
        message = make_message(SMALL)
        message.destroy()
        message.destroy()
        message.append(b"x" * 100)
        message.finish()
        self.assertEqual(message.size, len(SMALL) + 100)
        self.assertEqual(message.in_memory, 0)
        self.assertFalse(message.needs_spool)
        self.assertRaises(StoreError, message.chunks)
        self.assertEqual(self.successResultOf(message.spool()), None)

    def test_drops(self) -> None:
        """A header that came in thousands of chunks is looked at a few times."""
        looks: list[int] = []

        def look(octets: bytes, limit: int, *, is_whole: bool) -> Section | None:
            looks.append(len(octets))
            return find_section(octets, limit, is_whole=is_whole)

        self.patch(store, "find_section", look)
        octets = b"A: " + b"b" * 5000 + b"\r\n\r\n"
        message = whole_message(*(octets[i : i + 1] for i in range(len(octets))))
        self.assertEqual(octets_of(message), octets)
        self.assertLess(sum(looks), 12 * len(octets))

    def test_tiny_chunks(self) -> None:
        """A client that sends an octet at a time does not cost more than others."""
        octets = SMALL + bytes(range(256)) * 40
        message = whole_message(*(octets[i : i + 2] for i in range(0, len(octets), 2)))
        self.assertEqual(octets_of(message), octets)
        self.assertLess(len(list(message.body_chunks())), len(octets) // 2 / 250 + 256)

    def test_not_copied(self) -> None:
        """
        The body moves as the chunks that came; only the one with the header is cut.
        """
        chunks = [SMALL, b"x" * 1000, b"y" * 1000]
        body = list(whole_message(*chunks).body_chunks())
        self.assertIs(body[1], chunks[1])
        self.assertIs(body[2], chunks[2])


class LongHeaderTests(SynchronousTestCase):
    """A header that is longer than allowed (survey row 12)."""

    def test_flagged_and_kept(self) -> None:
        """It is flagged for whoever refuses it, and nothing is lost or moved."""
        octets = b"A: b\r\n" * 20 + b"\r\nbody\r\n"
        for chunks in cuts(octets):
            message = whole_message(*chunks, max_header_octets=50)
            self.assertTrue(message.header_too_long)
            self.assertEqual(octets_of(message), octets)
            self.assertEqual(len(message.header.names()), 8)

    def test_normal(self) -> None:
        """Other headers are not flagged."""
        self.assertFalse(whole_message(SMALL, max_header_octets=50).header_too_long)

    def test_too_many_fields(self) -> None:
        """The limit of fields is passed on to the header."""
        message = whole_message(SMALL, max_header_fields=1)
        self.assertTrue(message.header.has_too_many_fields)


class ForeignTests(SynchronousTestCase):
    """Messages that other projects test with."""

    def setUp(self) -> None:
        """Find them."""
        self.folder = self.mktemp()
        os.mkdir(self.folder)
        self.messages = foreign_messages()
        if not self.messages:
            raise SkipTest("set HARAKATW_TESTDATA to the folder of sample messages")

    def test_octet_by_octet(self) -> None:
        """Each comes out as it came in, in memory and on disk, but for a blank line."""
        for name, octets in self.messages.items():
            for after in (-1, 100):
                for step in (1, 7, 1000):
                    chunks = [octets[i : i + step] for i in range(0, len(octets), step)]
                    message = whole_message(
                        *chunks, spool_after=after, spool_dir=self.folder
                    )
                    head, body = message.raw_header, b"".join(message.body_chunks())
                    whole = (head + b"\r\n" + body, head + body)
                    self.assertIn(octets, whole, name)
                    self.assertTrue(octets_of(message).endswith(body), name)
                    message.destroy()

    def test_fields_are_whole(self) -> None:
        """
        Every octet of a header is in some field, and every field is found by name.
        """
        for octets in self.messages.values():
            header = whole_message(octets).header
            self.assertEqual(b"".join(header.lines()), bytes(header))
            for name in header.names():
                self.assertNotEqual(header.fields(name), [])
                header.get_decoded(name)


class AnyTests(SynchronousTestCase):
    """Messages that nobody would send."""

    @settings(deadline=None)
    @given(
        st.lists(
            st.sampled_from([b"A: b", b"\r\n", b"\r\n\r\n", b" ", b".", b"hi", b"\xff"])
        ),
        st.integers(-1, 20),
        st.integers(5, 40),
    )
    def test_any_chunks(self, chunks: list[bytes], after: int, limit: int) -> None:
        """
        Chunks and spooling change nothing; the header and the body are all there is.
        """
        octets = b"".join(chunks)
        plain = whole_message(octets, max_header_octets=limit)
        more: dict[str, Any] = {
            "max_header_octets": limit,
            "open_file": lambda _: open_spool_file(gettempdir()),
        }
        message = whole_message(*chunks, spool_after=after, **more)
        self.assertEqual(octets_of(message), octets_of(plain))
        self.assertEqual(message.header_too_long, plain.header_too_long)
        head, body = message.raw_header, b"".join(message.body_chunks())
        self.assertIn(octets, (head + body, head + b"\r\n" + body))
        message.destroy()
