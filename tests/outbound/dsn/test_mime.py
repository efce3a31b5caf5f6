"""How the parts of a report are encoded and put together."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.dsn.mime import (
    Part,
    encoded_part,
    message_part,
    multipart,
    text_part,
)


def read(part: Part) -> EmailMessage:
    """The part as a mail program sees it."""
    return email.message_from_bytes(bytes(part), policy=email.policy.default)


def text_of(entity: Any) -> str:
    """The text of a part, with line feeds."""
    text: str = entity.get_content()
    return text.replace("\r\n", "\n")


class TextTests(SynchronousTestCase):
    """Words for people."""

    def test_ascii(self) -> None:
        """Plain text goes as it is."""
        part = text_part("plain", "one\ntwo\n")
        self.assertEqual(
            bytes(part),
            b"Content-Type: text/plain; charset=us-ascii\r\n\r\none\r\ntwo\r\n",
        )

    def test_foreign(self) -> None:
        """Other text is UTF-8, and still ASCII on the wire."""
        text = "Grüße = \n" + "ü" * 300 + "\n \n.\n"
        part = text_part("html", text)
        self.assertTrue(bytes(part).isascii())
        self.assertFalse(part.is_8bit)
        entity = read(part)
        self.assertEqual(entity.get_content_type(), "text/html")
        self.assertEqual(text_of(entity), text)

    def test_long_line(self) -> None:
        """A line longer than SMTP has is encoded (RFC 2045 section 6.7)."""
        part = text_part("plain", "x" * 999 + "\n")
        self.assertLessEqual(max(map(len, bytes(part).split(b"\r\n"))), 78)
        self.assertEqual(text_of(read(part)), "x" * 999 + "\n")

    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
    def test_random(self, text: str) -> None:
        """Whatever the text is, it is read as it was written, and ASCII on the wire."""
        part = text_part("plain", text + "\n")
        self.assertTrue(bytes(part).isascii())
        octets = read(part).get_payload(decode=True)
        assert isinstance(octets, bytes)
        self.assertEqual(octets.decode(), (text + "\n").replace("\n", "\r\n"))


class EncodedTests(SynchronousTestCase):
    """Octets that must become ASCII."""

    def test_header(self) -> None:
        """A header with raw Latin-1 is encoded, and comes out as it was."""
        octets = b"Subject: gr\xfc\xdfe\r\nX: \0y\r\n"
        part = encoded_part("text/rfc822-headers", octets)
        self.assertTrue(bytes(part).isascii())
        self.assertEqual(read(part).get_payload(decode=True), octets)

    def test_nul(self) -> None:
        """A NUL is not sent."""
        self.assertNotIn(b"\0", bytes(encoded_part("text/plain", b"a\0b\r\n")))


class MultipartTests(SynchronousTestCase):
    """Several parts in one."""

    def test_parts(self) -> None:
        """The parts come out as they went in, also if one is empty."""
        texts = ["a\n\n", "", "--\n--=_\n"]
        inner = [text_part("plain", text) for text in texts]
        outer = multipart("multipart/mixed", inner, "t")
        self.assertEqual(list(map(text_of, read(outer).iter_parts())), texts)

    def test_boundary(self) -> None:
        """
        A boundary stands in no part, even if a part tries to end the report (RFC 2046
        section 5.1.1).
        """
        hostile = message_part("message/rfc822", b"A: b\r\n\r\n--=_tok--\r\n=_tok_\r\n")
        entity = read(multipart("multipart/report", [hostile], "tok"))
        boundary = entity.get_boundary()
        assert boundary is not None
        self.assertNotIn(boundary.encode(), bytes(hostile))
        (part,) = entity.iter_parts()
        self.assertEqual(part.as_bytes(policy=email.policy.SMTP), bytes(hostile))

    def test_8bit(self) -> None:
        """A message with octets above 127 makes all around it 8bit, and says so."""
        whole = message_part("message/rfc822", b"A: b\r\n\r\n\xfc\r\n")
        inner = multipart("multipart/mixed", [whole], "1")
        outer = multipart("multipart/mixed", [text_part("plain", "a\n"), inner], "0")
        self.assertTrue(outer.is_8bit)
        for part in (whole, inner, outer):
            self.assertEqual(read(part)["Content-Transfer-Encoding"], "8bit")

    def test_7bit(self) -> None:
        """Without such octets nobody says so."""
        outer = multipart("multipart/mixed", [text_part("plain", "ü\n")], "0")
        self.assertFalse(outer.is_8bit)
        self.assertIsNone(read(outer)["Content-Transfer-Encoding"])
