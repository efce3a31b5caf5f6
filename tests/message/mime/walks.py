"""Walks over messages, noted so that they can be compared."""

from collections.abc import Iterable, Iterator

import attrs

from harakatw.message.header import Header
from harakatw.message.mime.limits import MIMELimits
from harakatw.message.mime.part import Part
from harakatw.message.mime.walker import Walker
from tests.message.specimens import testdata

LIMITS = MIMELimits()


@attrs.define(eq=False)
class Noted:
    """
    Hears of a walk and notes all of it.

    @ivar events: C{(what, number of the part, octets)}; octets that follow each other
        are joined.
    @ivar parts: in the order of their beginnings.
    @ivar ended: numbers of the parts that are over, in that order.
    """

    events: list[tuple[str, int, bytes]] = attrs.field(factory=list)
    parts: list[Part] = attrs.field(factory=list)
    ended: list[int] = attrs.field(factory=list)

    def begin(self, part: Part, head: bytes) -> None:
        """A part begins."""
        self.parts.append(part)
        self.events.append(("begin", part.number, head))

    def content(self, part: Part, octets: bytes) -> None:
        """Some of its content comes."""
        self._note("content", part.number, octets)

    def between(self, octets: bytes) -> None:
        """Something comes that is no part's."""
        self._note("between", -1, octets)

    def end(self, part: Part) -> None:
        """A part is over."""
        self.ended.append(part.number)
        self.events.append(("end", part.number, b""))

    def _note(self, what: str, number: int, octets: bytes) -> None:
        if self.events and self.events[-1][:2] == (what, number):
            octets = self.events.pop()[2] + octets
        self.events.append((what, number, octets))

    @property
    def octets(self) -> bytes:
        """All that came, in order."""
        return b"".join(octets for _, _, octets in self.events)

    def contents(self, number: int) -> bytes:
        """The content of a part."""
        wanted = ("content", number)
        return b"".join(each[2] for each in self.events if each[:2] == wanted)

    @property
    def leaves(self) -> list[tuple[str, bytes]]:
        """Type and content of every part that is no container."""
        return [
            (part.content_type, self.contents(part.number))
            for part in self.parts
            if part.kind.value == "leaf"
        ]


def walk(
    chunks: Iterable[bytes],
    limits: MIMELimits = LIMITS,
    header: Header | None = None,
) -> tuple[Noted, Walker]:
    """Walk over a message that comes in these chunks."""
    noted = Noted()
    walker = Walker(noted, limits, header)
    for chunk in chunks:
        walker.feed(chunk)
    walker.finish()
    return noted, walker


def multipart(
    *parts: bytes, boundary: str = "b", subtype: str = "mixed", end: bool = True
) -> bytes:
    """A multipart with its header; each part has its own header and blank line."""
    mark = boundary.encode()
    lines = [
        b"Content-Type: multipart/" + subtype.encode(),
        b'; boundary="' + mark + b'"\r\n\r\n',
        *(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts),
        b"--" + mark + b"--\r\n" if end else b"",
    ]
    return b"".join(lines)


def samples() -> Iterator[tuple[str, bytes]]:
    """All sample messages of other projects, with CRLF for line ends."""
    for folder in ("mime-cpython-test_email", "mime-haraka-specimen"):
        for path in sorted((testdata() / folder).rglob("*.txt")):
            yield f"{folder}/{path.name}", _with_crlf(path.read_bytes())
    for path in sorted((testdata() / "dsn-flufl-bounce" / "data").glob("*.txt")):
        yield f"dsn-flufl-bounce/{path.name}", _with_crlf(path.read_bytes())


def _with_crlf(octets: bytes) -> bytes:
    octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return octets.replace(b"\n", b"\r\n")
