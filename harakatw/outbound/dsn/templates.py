"""
The words of a report: header lines, an empty line, and text, with variables in braces.

What a value says can neither begin a field nor, in HTML, a tag.

@see: Haraka rows CF61 and OB45
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import attrs

from harakatw.message.field import is_field_name
from harakatw.outbound.dsn.mime import Part
from harakatw.outbound.dsn.recipients import Kind
from harakatw.outbound.dsn.text import MAX_LINE_OCTETS, clean_line, folded_field

OURS: Final = frozenset(("mime-version", "references", "in-reply-to"))
"""Fields that a report gets by itself; in a template they have no effect."""

_VARIABLE = re.compile(r"\{(\w{1,40})\}")
_ENCODINGS: Final = frozenset(("7bit", "base64", "quoted-printable"))


@attrs.frozen
class Template:
    """
    A template, taken apart.

    @ivar head: names and values of its header fields.
    @ivar body: the lines of its text.
    """

    head: tuple[tuple[str, str], ...]
    body: tuple[str, ...]

    def fields(self, values: Mapping[str, str], *, utf8: bool) -> list[bytes]:
        """
        Its header fields.

        @param values: for variables.
        @param utf8: write UTF-8 as it is, no encoded words.
        """
        return [
            folded_field(name, clean_line(fill_line(value, values), 900), utf8=utf8)
            for name, value in self.head
        ]

    def text(self, values: Mapping[str, str]) -> str:
        """Its text. The values may have several lines."""
        return fill("\n".join(self.body), values) + "\n"

    @property
    def names(self) -> frozenset[str]:
        """The names of its fields, in lower case."""
        return frozenset(name.lower() for name, _ in self.head)

    def with_head_of(self, other: "Template") -> "Template":
        """Add the fields of another template that are not in this one."""
        names = self.names
        missing = (each for each in other.head if each[0].lower() not in names)
        return attrs.evolve(self, head=(*self.head, *missing))


def parse_template(lines: Iterable[str]) -> Template:
    """
    Read a template.

    @param lines: without line ends. The first empty one ends the header.
    @raise ValueError: if a line before that is no header field, or a field says what
        the report consists of, which is not for the template to say.
    """
    remaining = iter(lines)
    head = tuple(
        (name, value) for name, value in _head(remaining) if name.lower() not in OURS
    )
    for name, value in head:
        if name.lower().startswith("content-"):
            raise ValueError(f"{name} cannot be set: a report has several parts")
        if '"' in value and not value.isascii():  # no encoded word may stand in quotes
            raise ValueError(f"{name}: leave the quotes out, or what is not ASCII")
    return Template(head, tuple(remaining))


def _head(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The fields up to the first empty line, which is taken too."""
    name, value = "", ""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            break
        if line[0] in " \t" and name:
            value += f" {line.strip()}"
            continue
        if name:
            yield name, value
        name, colon, value = line.partition(":")
        if not (colon and is_field_name(name)):
            raise ValueError(
                f"line {number} is no header field: a template begins with header"
                " fields and an empty line"
            )
        value = value.strip()
    if name:
        yield name, value


def parse_image(lines: Iterable[str]) -> Part:
    """
    Read a MIME part that is ready: its header, an empty line, and its encoded body.

    @raise ValueError: if it is not, is not ASCII, or has lines that are too long.
    """
    lines = tuple(lines)
    for number, line in enumerate(lines, 1):
        if not line.isascii() or len(line) > MAX_LINE_OCTETS:
            raise ValueError(f"line {number} is not ASCII, or too long")
    remaining = iter(lines)
    head = tuple(_head(remaining))
    fields = {name.lower(): value.lower() for name, value in head}
    if "content-type" not in fields:
        raise ValueError("is no MIME part: it has no Content-Type")
    if fields.get("content-transfer-encoding", "7bit") not in _ENCODINGS:
        raise ValueError("must be encoded in base64 or quoted-printable")
    octets = b"".join(folded_field(name, clean_line(value)) for name, value in head)
    return Part(octets, "".join(f"{line}\r\n" for line in remaining).encode("ascii"))


def fill(text: str, values: Mapping[str, str]) -> str:
    """
    Put values in the place of variables.

    Once: a value in which another variable stands is taken as it is.
    """
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def fill_line(text: str, values: Mapping[str, str]) -> str:
    """As L{fill}, each value being made one line of moderate length."""
    return _VARIABLE.sub(lambda found: clean_line(values.get(found[1], found[0])), text)


def fill_html(text: str, values: Mapping[str, str]) -> str:
    """As L{fill}, the values being text, not HTML."""
    shown = {
        name: html.escape(value).replace("\n", "<br>\n")
        for name, value in values.items()
    }
    return fill(text, shown)


_HEAD: Final = (
    "Date: {date}",
    "From: Mail Delivery System <MAILER-DAEMON@{me}>",
    "To: {from}",
)
_HEAD_END: Final = ("Message-ID: {msgid}", "Auto-Submitted: auto-replied", "")

BUILT_IN: Final[Mapping[Kind, Template]] = MappingProxyType(
    {
        Kind.FAILURE: parse_template(
            (
                *_HEAD,
                "Subject: Your message could not be delivered",
                *_HEAD_END,
                "This is the mail server {me}.",
                "",
                "Your message",
                "",
                "    {subject}",
                "",
                "did not reach these recipients, and the server has given up:",
                "",
                "{extended_reason}",
                "",
                "A technical report follows, and what you sent, or its header.",
            )
        ),
        Kind.DELAY: parse_template(
            (
                *_HEAD,
                "Subject: Your message is delayed",
                *_HEAD_END,
                "This is the mail server {me}.",
                "",
                "Your message",
                "",
                "    {subject}",
                "",
                "has not yet reached these recipients:",
                "",
                "{extended_reason}",
                "",
                "You need not send it again. The server keeps trying until",
                "{until}.",
            )
        ),
        Kind.SUCCESS: parse_template(
            (
                *_HEAD,
                "Subject: Your message was delivered or passed on",
                *_HEAD_END,
                "This is the mail server {me}. You asked to be told what becomes of",
                "your message",
                "",
                "    {subject}",
                "",
                "It has left this server without trouble:",
                "",
                "{extended_reason}",
            )
        ),
    }
)
"""What is said unless a postmaster's file says something else."""
